//! Colours by meaning. Nothing is said by colour alone: crossterm drops all colours where
//! `NO_COLOR` is set, and words, symbols and weight remain.

use heng_procedures::Severity;
use heng_uncertainty::Verdict;
use ratatui::style::{Color, Modifier, Style};

pub const PLAIN: Style = Style::new();
pub const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);
pub const DIM: Style = Style::new().fg(Color::DarkGray);
pub const REFERENCE: Style = Style::new().fg(Color::Cyan);
pub const UNIT: Style = Style::new().fg(Color::Magenta);
pub const BAND: Style = Style::new().fg(Color::Green);
pub const GOOD: Style = Style::new().fg(Color::Green);
/// Yellow and red are kept for warnings and alarms.
pub const WARNING: Style = Style::new().fg(Color::Yellow);
pub const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
/// Blue asks a person to act.
pub const ACT: Style = Style::new()
    .fg(Color::LightBlue)
    .add_modifier(Modifier::BOLD);
pub const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);
pub const KEY: Style = Style::new().add_modifier(Modifier::BOLD);

pub const fn of_severity(severity: Severity) -> Style {
    match severity {
        Severity::Notice => DIM,
        Severity::Warning => WARNING,
        Severity::Alarm => BAD,
    }
}

pub const fn of_verdict(verdict: Option<Verdict>) -> Style {
    match verdict {
        Some(Verdict::Pass) => GOOD,
        Some(Verdict::Fail) => BAD,
        Some(Verdict::ConditionalPass | Verdict::ConditionalFail) => WARNING,
        None => DIM,
    }
}
