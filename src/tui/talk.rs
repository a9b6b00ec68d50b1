//! The terminal of one port: what went over the wire above, the line that is typed below.

use std::io;
use std::time::Duration;

use heng_drivers::escape;
use heng_quantities::Language;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use ratatui::{DefaultTerminal, Frame};

use super::format::{fitted, pieces, width};
use super::glyphs::Glyphs;
use super::style;
use super::text::Word;

/// Lines of traffic that are kept for scrolling; the log keeps all.
const KEPT: usize = 5000;

/// Longest line that can be typed.
const TYPED: usize = 2000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Sent,
    Received,
    /// Came without a request.
    Unasked,
    /// What the description makes of a reply.
    Meaning,
    /// Not sent, or no reply.
    Trouble,
}

impl Direction {
    const fn mark(self) -> char {
        match self {
            Self::Sent => '>',
            Self::Received => '<',
            Self::Unasked => '~',
            Self::Meaning => '=',
            Self::Trouble => '!',
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Sent => style::REFERENCE,
            Self::Received => style::PLAIN,
            Self::Unasked => style::WARNING,
            Self::Meaning => style::GOOD,
            Self::Trouble => style::BAD,
        }
    }
}

/// One event on the line.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Time of day with milliseconds.
    pub time: String,
    pub direction: Direction,
    /// Shown in hexadecimal and as text; `text` where there are none.
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Traffic {
    /// Lines of at most `cells` cells: time, direction, and either so many bytes twice or a
    /// piece of the text.
    pub fn lines(&self, bytes_per_line: usize, cells: usize) -> Vec<String> {
        let head = format!("{} {} ", self.time, self.direction.mark());
        let pieces: Vec<String> = if self.bytes.is_empty() {
            pieces(&self.text, cells.saturating_sub(width(&head)).max(8))
        } else {
            let chunks = self.bytes.chunks(bytes_per_line);
            let both = chunks.map(|chunk| {
                let hex: Vec<_> = chunk.iter().map(|byte| format!("{byte:02X}")).collect();
                let hex = fitted(&hex.join(" "), bytes_per_line * 3 - 1);
                format!("{hex}  {}", escape(chunk))
            });
            both.collect()
        };
        let blank = " ".repeat(width(&head));
        let heads = std::iter::once(&head).chain(std::iter::repeat(&blank));
        let lines = heads.zip(pieces).map(|(head, piece)| head.clone() + &piece);
        lines.collect()
    }
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    Line(String),
    Leave,
}

/// The screen; the terminal is restored when it is dropped.
pub struct TalkScreen {
    terminal: DefaultTerminal,
    state: State,
}

#[derive(Default)]
struct State {
    language: Language,
    glyphs: Glyphs,
    title: String,
    traffic: Vec<Traffic>,
    typed: String,
    /// Lines sent before, and which of them stands in the input.
    earlier: Vec<String>,
    recalled: Option<usize>,
    /// Lines between the end of the traffic and the end of the pane.
    back: usize,
    help: bool,
    waiting: bool,
}

impl TalkScreen {
    /// # Errors
    /// What the terminal says.
    pub fn open(language: Language, title: &str) -> io::Result<Self> {
        let state = State {
            language,
            glyphs: Glyphs::from_environment(),
            title: title.to_owned(),
            ..State::default()
        };
        let terminal = ratatui::try_init()?;
        Ok(Self { terminal, state })
    }

    pub fn push(&mut self, traffic: Traffic) {
        self.state.push(traffic);
    }

    /// Draws, and takes the keys that have come. `waiting`: an exchange is under way.
    ///
    /// # Errors
    /// What the terminal says.
    pub fn frame(&mut self, waiting: bool) -> io::Result<Vec<Typed>> {
        let Self { terminal, state } = self;
        state.waiting = waiting;
        terminal.draw(|frame| state.draw(frame))?;
        let mut typed = Vec::new();
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()? {
                typed.extend(state.key(key));
            }
        }
        Ok(typed)
    }
}

impl Drop for TalkScreen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

impl State {
    fn push(&mut self, traffic: Traffic) {
        if self.traffic.len() == KEPT {
            self.traffic.remove(0);
        }
        self.traffic.push(traffic);
    }

    fn key(&mut self, key: KeyEvent) -> Option<Typed> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return Some(Typed::Leave),
            KeyCode::Char('d') if control && self.typed.is_empty() => return Some(Typed::Leave),
            KeyCode::Char('u') if control => self.typed.clear(),
            KeyCode::F(1) => self.help = !self.help,
            KeyCode::Esc if self.help => self.help = false,
            KeyCode::Esc => self.typed.clear(),
            KeyCode::PageUp => self.back += 8,
            KeyCode::PageDown => self.back = self.back.saturating_sub(8),
            KeyCode::End => self.back = 0,
            KeyCode::Up => self.recall(true),
            KeyCode::Down => self.recall(false),
            KeyCode::Backspace => {
                self.typed.pop();
            }
            KeyCode::Enter if !self.typed.trim().is_empty() => {
                let line = std::mem::take(&mut self.typed);
                if self.earlier.last() != Some(&line) {
                    self.earlier.push(line.clone());
                }
                (self.recalled, self.back) = (None, 0);
                return Some(Typed::Line(line));
            }
            KeyCode::Char(character) if !control && self.typed.len() < TYPED => {
                self.typed.push(character);
            }
            _ => {}
        }
        None
    }

    fn recall(&mut self, older: bool) {
        let end = self.earlier.len();
        let at = self.recalled.unwrap_or(end);
        let at = if older {
            at.saturating_sub(1)
        } else {
            (at + 1).min(end)
        };
        self.recalled = Some(at);
        self.typed = self.earlier.get(at).cloned().unwrap_or_default();
    }

    fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let rows = [1, 0, 1, 1].map(|rows| match rows {
            0 => Constraint::Min(0),
            rows => Constraint::Length(rows),
        });
        let [top, middle, input, keys] = Layout::vertical(rows).areas(area);
        let title = fitted(&format!(" {}", self.title), usize::from(top.width));
        frame.render_widget(Line::styled(title, style::TITLE), top);
        self.draw_traffic(frame, middle);
        self.draw_input(frame, input);
        let word = |word: Word| word.get(self.language);
        frame.render_widget(
            Line::styled(format!(" {}", word(Word::TalkKeys)), style::DIM),
            keys,
        );
        if self.help {
            self.draw_help(frame, middle);
        }
        self.glyphs.restrict(frame.buffer_mut());
    }

    fn draw_traffic(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let block = Block::bordered()
            .border_style(style::DIM)
            .title(Span::styled(
                format!(" {} ", Word::Traffic.get(self.language)),
                style::TITLE,
            ));
        let inside = block.inner(area);
        frame.render_widget(block, area);
        let [head, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(inside);
        let cells = usize::from(body.width);
        let bytes_per_line = if cells >= 90 { 16 } else { 8 };
        frame.render_widget(Line::styled(self.header(bytes_per_line), style::DIM), head);
        let rows = usize::from(body.height);
        let mut shown: Vec<Line<'_>> = Vec::new();
        for one in self.traffic.iter().rev() {
            if shown.len() >= rows + self.back {
                break;
            }
            let lines = one.lines(bytes_per_line, cells).into_iter().rev();
            shown.extend(lines.map(|line| Line::styled(line, one.direction.style())));
        }
        // Nothing lies above the first line.
        self.back = self.back.min(shown.len().saturating_sub(rows));
        let mut shown: Vec<_> = shown.into_iter().skip(self.back).take(rows).collect();
        shown.reverse();
        frame.render_widget(Paragraph::new(shown), body);
    }

    fn header(&self, bytes_per_line: usize) -> String {
        let word = |word: Word| word.get(self.language);
        let time = fitted(word(Word::Time), 15);
        let hex = fitted(word(Word::BytesInHex), bytes_per_line * 3 + 1);
        format!("{time}{hex}{}", word(Word::BytesAsText))
    }

    /// The end of the typed line is always in sight.
    fn draw_input(&self, frame: &mut Frame<'_>, area: Rect) {
        let mark = if self.waiting { " … " } else { " > " };
        let room = usize::from(area.width).saturating_sub(5);
        let mut tail: &str = &self.typed;
        while width(tail) > room {
            let mut rest = tail.chars();
            rest.next();
            tail = rest.as_str();
        }
        let line = Line::from(vec![
            Span::styled(mark, style::ACT),
            Span::raw(tail.to_owned()),
            Span::styled(" ", style::SELECTED),
        ]);
        frame.render_widget(line, area);
    }

    fn draw_help(&self, frame: &mut Frame<'_>, area: Rect) {
        let text = Word::TalkHelp.get(self.language);
        let cells = usize::from(area.width.saturating_sub(4));
        let lines: Vec<String> = text.lines().flat_map(|line| pieces(line, cells)).collect();
        let rows = u16::try_from(lines.len() + 2)
            .unwrap_or(u16::MAX)
            .min(area.height);
        let place = Rect {
            height: rows,
            ..area
        };
        let block = Block::bordered()
            .border_style(style::ACT)
            .title(Span::styled(
                format!(" {} ", Word::Help.get(self.language)),
                style::TITLE,
            ));
        frame.render_widget(Clear, place);
        let lines: Vec<_> = lines
            .into_iter()
            .map(|line| Line::raw(format!(" {line}")))
            .collect();
        frame.render_widget(Paragraph::new(lines).block(block), place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn screen(state: &mut State, size: (u16, u16)) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|frame| state.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let rows = buffer.content.chunks(usize::from(size.0));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect()
    }

    fn sent(bytes: &[u8]) -> Traffic {
        Traffic {
            time: "08:00:00.125".into(),
            direction: Direction::Sent,
            bytes: bytes.to_vec(),
            text: String::new(),
        }
    }

    #[test]
    fn bytes_stand_in_hexadecimal_and_as_text_at_every_size() {
        for (size, row) in [
            (
                (100, 30),
                "44 50 3F 0D 0A                                   DP?\\r\\n",
            ),
            ((60, 18), "44 50 3F 0D 0A           DP?\\r\\n"),
        ] {
            let mut state = State::default();
            state.push(sent(b"DP?\r\n"));
            let rows = screen(&mut state, size);
            let found = rows
                .iter()
                .any(|line| line.contains(&format!("08:00:00.125 > {row}")));
            assert!(found, "{rows:#?}");
            state.help = true;
            let rows = screen(&mut state, size);
            assert!(rows.iter().any(|line| line.contains("\\xNN")), "{rows:#?}");
        }
    }

    #[test]
    fn the_newest_line_is_in_sight_until_one_scrolls_and_never_beyond_the_first() {
        let mut state = State::default();
        for number in 0..100 {
            state.push(sent(format!("n{number:02}").as_bytes()));
        }
        let shows = |rows: &[String], text: &str| rows.iter().any(|line| line.contains(text));
        assert!(shows(&screen(&mut state, (60, 18)), " n99"));
        for _ in 0..40 {
            state.key(KeyEvent::from(KeyCode::PageUp));
            screen(&mut state, (60, 18));
        }
        let rows = screen(&mut state, (60, 18));
        assert!(shows(&rows, " n00") && !shows(&rows, " n99"), "{rows:#?}");
        state.key(KeyEvent::from(KeyCode::End));
        assert!(shows(&screen(&mut state, (60, 18)), " n99"));
    }

    #[test]
    fn a_line_is_typed_sent_and_recalled() {
        let mut state = State::default();
        for key in "DP?".chars() {
            assert_eq!(state.key(KeyEvent::from(KeyCode::Char(key))), None);
        }
        let entered = state.key(KeyEvent::from(KeyCode::Enter));
        assert_eq!(entered, Some(Typed::Line("DP?".into())));
        assert_eq!(state.key(KeyEvent::from(KeyCode::Enter)), None);
        state.key(KeyEvent::from(KeyCode::Up));
        assert_eq!(state.typed, "DP?");
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(state.key(control_c), Some(Typed::Leave));
    }
}
