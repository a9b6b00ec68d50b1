//! The adjustment of the instruments is read before and after a run: what an instrument made
//! of its sensor must be the same for every reading.

use std::collections::BTreeMap;

use heng_procedures::Severity;
use heng_quantities::Text;

use super::{Awaited, Engine, EngineError, Task, Work};

/// Constants by role, as they were first read.
#[derive(Default)]
pub(super) struct Constants {
    before: BTreeMap<String, BTreeMap<String, String>>,
    changed: bool,
}

impl Constants {
    /// The work of reading them again; none where no instrument tells its constants.
    pub(super) fn tasks(&self) -> Option<Vec<Task>> {
        let tasks = self.before.keys().map(|role| Task {
            role: role.clone(),
            work: Work::Constants,
        });
        (!self.before.is_empty()).then(|| tasks.collect())
    }

    pub(super) const fn changed(&self) -> bool {
        self.changed
    }
}

impl Engine {
    /// The work of reading the constants of every instrument that has not told them yet.
    pub(super) fn first_constants(&self) -> Vec<Task> {
        let drivers = self.evidence.drivers.iter();
        let told = drivers.filter(|(role, driver)| {
            driver.constants().is_some() && !self.constants.before.contains_key(*role)
        });
        told.map(|(role, _)| Task {
            role: role.clone(),
            work: Work::Constants,
        })
        .collect()
    }

    /// Reads the constants again, or ends the run where no instrument tells any.
    pub(super) fn last_constants(&mut self, completed: bool) -> Result<(), EngineError> {
        let Some(tasks) = self.constants.tasks().filter(|_| completed) else {
            return self.finish(completed);
        };
        let roles: Vec<_> = tasks.iter().map(|task| task.role.clone()).collect();
        self.begin(Awaited::Constants, self.now_us, tasks, &roles)
    }

    pub(super) fn take_constants(
        &mut self,
        role: &str,
        told: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let Some(before) = self.constants.before.get(role) else {
            self.constants.before.insert(role.to_owned(), told.clone());
            return Ok(());
        };
        let differs: Vec<_> = before
            .iter()
            .filter(|(name, text)| told.get(*name) != Some(text))
            .map(|(name, text)| {
                let now = told.get(name).map_or("nothing", String::as_str);
                format!("{name} {text} -> {now}")
            })
            .collect();
        if differs.is_empty() {
            return Ok(());
        }
        self.constants.changed = true;
        let list = differs.join(", ");
        let text = Text::new(
            &format!(
                "the adjustment was changed during the run ({list}): its readings are not of one instrument, no result is issued"
            ),
            &format!("运行期间校准常数被改变（{list}）：读数不属于同一状态的仪器，不出具结果"),
        );
        self.alarm(Severity::Alarm, role, text)
    }

    /// Constants that cannot be read again prove nothing: there is no result.
    pub(super) fn constants_unread(&mut self, role: &str, cause: &str) -> Result<(), EngineError> {
        let text = Text::new(
            &format!(
                "the constants of the adjustment cannot be read again ({cause}): that they are unchanged is not proved, no result is issued"
            ),
            &format!("无法再次读取校准常数（{cause}）：不能证明其未改变，不出具结果"),
        );
        self.alarm(Severity::Alarm, role, text)?;
        self.finish(false)
    }
}
