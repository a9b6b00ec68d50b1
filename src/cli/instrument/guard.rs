//! What may be sent to an instrument by hand.

use super::usage;
use crate::cli::Failure;
use clap::{Args, ValueEnum};
use heng_drivers::{Class, Description, Request};
use heng_quantities::Decimal;

/// What the operator takes upon himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allowed {
    /// Commands that change a setting or move the plant
    Set,
    /// Commands that adjust the instrument; with --person and --reason
    Calibrate,
    /// Text that is no command of the description: nobody knows what it does
    Unknown,
}

#[derive(Args)]
pub struct Guard {
    /// Lets more than reading commands through
    #[arg(long, value_enum)]
    pub allow: Vec<Allowed>,
    /// Who adjusts the instrument
    #[arg(long)]
    pub person: Option<String>,
    /// Why it is adjusted
    #[arg(long)]
    pub reason: Option<String>,
}

impl Guard {
    /// A statement that cannot be made alone.
    pub fn check(&self) -> Result<(), Failure> {
        let stated =
            |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        if self.allow.contains(&Allowed::Calibrate)
            && !(stated(&self.person) && stated(&self.reason))
        {
            return usage(
                "--allow calibrate changes what the instrument indicates: say who does it and why with --person NAME --reason TEXT",
            );
        }
        Ok(())
    }

    /// Lets a command of this class through, or says what it would need.
    pub fn admit(&self, class: Option<Class>) -> Result<(), String> {
        let (needed, option) = match class {
            Some(Class::Read) => return Ok(()),
            Some(Class::Set | Class::Actuate) => (Allowed::Set, "--allow set"),
            Some(Class::Calibrate) => (
                Allowed::Calibrate,
                "--allow calibrate --person NAME --reason TEXT",
            ),
            None => (Allowed::Unknown, "--allow unknown"),
        };
        if self.allow.contains(&needed) {
            return Ok(());
        }
        let what = class.map_or_else(
            || {
                "no command that the description knows: it may do anything, adjustment included"
                    .to_owned()
            },
            |class| format!("of class {}", class.name()),
        );
        Err(format!(
            "not sent: this is {what}; start talk with {option} to send it"
        ))
    }
}

/// Refuses a set point outside of the range of the description. Nothing is clamped.
pub fn set_points(description: &Description, request: &Request) -> Result<(), String> {
    for (field, text) in &request.args {
        let Some(name) = field.strip_suffix(".set") else {
            continue;
        };
        let mut quantities = description.quantities().iter();
        let Some(info) = quantities.find(|info| info.name == name) else {
            continue;
        };
        let value: Decimal = text
            .parse()
            .map_err(|error| format!("not sent: {field}={text}: {error}"))?;
        info.check_set_point(value)
            .map_err(|error| format!("not sent: {error}"))?;
    }
    Ok(())
}
