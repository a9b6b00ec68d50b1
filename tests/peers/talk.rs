//! What went over the wire in a talk, as its output says.

/// One direction, with the bytes escaped or the meaning.
#[derive(Debug)]
pub struct Told {
    pub mark: char,
    pub text: String,
}

/// Cells of the time before the mark.
const TIME: usize = 13;

/// Cells of 16 bytes as digits.
const HEX: usize = 47;

/// The lines of `heng talk` of one kind: `>` sent, `<` received, `~` unasked, `=` meaning,
/// `!` trouble.
pub fn told(output: &str) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for line in output.lines() {
        let cells: Vec<char> = line.chars().collect();
        let mark = cells[TIME];
        let rest: String = cells[TIME + 2..].iter().collect();
        let text = |mark: char| {
            if matches!(mark, '>' | '<' | '~') {
                unhex(&rest)
            } else {
                rest.clone()
            }
        };
        match (mark, told.last_mut()) {
            (' ', Some(last)) => last.text.push_str(&text(last.mark)),
            _ => told.push(Told {
                mark,
                text: text(mark),
            }),
        }
    }
    told
}

fn unhex(rest: &str) -> String {
    let digits: String = rest.chars().take(HEX).collect();
    let bytes: Vec<u8> = digits
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).expect("two digits of a byte"))
        .collect();
    heng_drivers::escape(&bytes)
}

/// The texts with this mark.
pub fn marked(told: &[Told], mark: char) -> Vec<&str> {
    let marked = told.iter().filter(|one| one.mark == mark);
    marked.map(|one| &*one.text).collect()
}
