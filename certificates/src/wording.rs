//! The standing statements of every certificate, and words shared by its papers.

use heng_quantities::Text;

use crate::document::Certificate;

/// Verdict, DCC word, English, Chinese (ILAC-G8:09/2019, 4.2; DCC 3.3.0 `conformity`).
const VERDICTS: [(&str, &str, &str, &str); 4] = [
    ("pass", "pass", "Pass", "合格"),
    ("fail", "fail", "Fail", "不合格"),
    (
        "conditional_pass",
        "conditionalPass",
        "Conditional pass",
        "有条件合格",
    ),
    (
        "conditional_fail",
        "conditionalFail",
        "Conditional fail",
        "有条件不合格",
    ),
];

/// The DCC's word for a verdict; none for a word that is no verdict.
pub(crate) fn dcc_verdict(verdict: &str) -> Option<&'static str> {
    VERDICTS
        .iter()
        .find(|row| row.0 == verdict)
        .map(|row| row.1)
}

/// A verdict as printed; an unknown word is printed as it is (the check refuses it).
#[must_use]
pub fn verdict_text(verdict: &str) -> Text {
    VERDICTS
        .iter()
        .find(|row| row.0 == verdict)
        .map_or_else(|| Text::same(verdict), |row| Text::new(row.2, row.3))
}

/// "Demonstration, no metrological traceability".
pub(crate) fn demonstration() -> Text {
    Text::new(
        "Demonstration, no metrological traceability",
        "演示, 无计量溯源性",
    )
}

/// A statement that every certificate carries, with the clause that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingStatement {
    pub norm: &'static str,
    pub reference: &'static str,
    pub text: Text,
}

/// The statements that this crate adds to [`Certificate::statements`] by itself: they need
/// not, and should not, be given there.
#[must_use]
pub fn standing_statements(certificate: &Certificate) -> Vec<StandingStatement> {
    let norm = "ISO/IEC 17025:2017";
    let mut statements = vec![
        StandingStatement {
            norm,
            reference: "7.8.2.1 l)",
            text: Text::new(
                "The results relate only to the item calibrated, in the condition in which it was received and at the time of the calibration.",
                "本证书的校准结果仅对所校准的器具在接收状态下及校准时有效。",
            ),
        },
        StandingStatement {
            norm,
            reference: "7.8.2.1",
            text: Text::new(
                "This certificate shall not be reproduced except in full without the written approval of the laboratory.",
                "未经本机构书面批准, 不得部分复制本证书。",
            ),
        },
        StandingStatement {
            norm: "JCGM 100:2008",
            reference: "7.2.3",
            text: Text::new(
                "The expanded uncertainty is the standard uncertainty multiplied by the coverage factor k stated beside it, for the coverage probability stated there.",
                "扩展不确定度由标准不确定度乘以所列包含因子 k 得到, 对应所列包含概率。",
            ),
        },
    ];
    if certificate.demonstration {
        statements.insert(
            0,
            StandingStatement {
                norm,
                reference: "6.5",
                text: Text::new(
                    "Demonstration, no metrological traceability: the instruments may be simulated and nobody has signed this document. It must not be used as a calibration certificate.",
                    "演示, 无计量溯源性: 仪器可能为模拟, 本文件未经签署, 不得作为校准证书使用。",
                ),
            },
        );
    }
    statements
}
