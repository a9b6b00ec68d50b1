//! The machine's clock was moved: what that costs.

use heng_procedures::{Severity, StepKind};
use heng_quantities::Text;
use heng_records::ClockJump;

use super::{Engine, EngineError};

impl Engine {
    /// A jump while a point is read leaves its moments in doubt until somebody says why.
    pub(super) fn clock_jump(&mut self, jump: &ClockJump) -> Result<(), EngineError> {
        let by_s = jump.jump_us as f64 * 1e-6;
        let ClockJump {
            expected, found, ..
        } = jump;
        if self.plan.progress().step != StepKind::Read {
            let text = Text::new(
                &format!(
                    "the machine's clock was moved by {by_s:+.3} s ({expected} -> {found}), not during readings"
                ),
                &format!(
                    "计算机时钟被改动 {by_s:+.3} s（{expected} -> {found}），未发生在读数期间"
                ),
            );
            return self.alarm(Severity::Notice, "", text);
        }
        self.unexplained.push(self.seq);
        let text = Text::new(
            &format!(
                "the machine's clock was moved by {by_s:+.3} s during readings ({expected} -> {found}): a note that says why is needed, or there is no certificate"
            ),
            &format!(
                "读数期间计算机时钟被改动 {by_s:+.3} s（{expected} -> {found}）：须以备注说明原因，否则不出具证书"
            ),
        );
        self.alarm(Severity::Alarm, "", text)
    }

    /// Whether every jump of the clock during readings was explained; if not, it is told.
    pub(super) fn clock_is_explained(&mut self) -> Result<bool, EngineError> {
        if self.unexplained.is_empty() {
            return Ok(true);
        }
        let entries: Vec<_> = self.unexplained.iter().map(u64::to_string).collect();
        let entries = entries.join(", ");
        let text = Text::new(
            &format!(
                "nobody explained why the clock was moved during readings (entry {entries}): no certificate is issued"
            ),
            &format!("读数期间时钟被改动的原因未予说明（记录 {entries}）：不出具证书"),
        );
        self.alarm(Severity::Alarm, "", text)?;
        Ok(false)
    }
}
