//! `heng ports`: the serial ports that the machine knows.

use clap::Args;
use heng_drivers::PortInfo;
use serde::Serialize;

use super::{Format, json_page};
use crate::cli::table::{Align, Table, wrapped};
use crate::cli::{Exit, Failure, print};

#[derive(Args)]
pub struct Ports {
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Listed<'a> {
    path: &'a str,
    adapter: &'a str,
}

const UNSEEN: &str = "Not listed: pseudo-terminals (name them by their path, such as /dev/pts/3 or the link that `heng simulate --link` makes), ports of other machines on the network (give them a local path with socat or the maker's driver), and a port that this account may not see. A path need not be in the list to be used.";

pub fn ports(arguments: &Ports) -> Result<Exit, Failure> {
    let found = heng_drivers::ports();
    match arguments.format {
        Format::Json => {
            let listed = |port: &PortInfo| {
                serde_json::json!(Listed {
                    path: &port.path,
                    adapter: &port.adapter,
                })
            };
            let listed: Vec<_> = found.iter().map(listed).collect();
            print(&json_page(&listed)?)
        }
        Format::Text => print(&text(&found)),
    }
}

fn text(found: &[PortInfo]) -> String {
    let mut lines = Vec::new();
    if found.is_empty() {
        lines.push("No serial port is known to this machine.".to_owned());
    } else {
        let mut table = Table::new(&[Align::Left, Align::Left], &["port", "adapter"]);
        for port in found {
            let adapter = if port.adapter.is_empty() {
                "says nothing about itself"
            } else {
                &port.adapter
            };
            table.row(vec![port.path.clone(), adapter.to_owned()]);
        }
        lines.extend(table.lines());
    }
    lines.push(String::new());
    lines.extend(wrapped("", UNSEEN));
    lines.join("\n") + "\n"
}
