//! Words of the interface. A word that lacks a language does not compile.

use heng_quantities::Language;

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// A word or sentence of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Word { $($name),* }

        impl Word {
            #[cfg(test)]
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub const fn get(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::En) => $en, (Self::$name, Language::Zh) => $zh,)*
                }
            }
        }
    };
}

words! {
    Bench: "Bench", "台架";
    Run: "Run", "运行";
    Results: "Results", "结果";
    Instruments: "Instruments by role", "仪器（按角色）";
    RoleColumn: "role", "角色";
    Model: "model", "型号";
    Serial: "serial", "编号";
    Port: "port", "端口";
    Line: "line", "线路";
    Identity: "identity", "身份";
    CalDue: "cal due", "校准有效期";
    State: "state", "状态";
    Matches: "matches", "相符";
    NotAsked: "not asked", "尚未查询";
    LabelOnly: "label only", "仅凭标签";
    Differs: "see alarms", "见报警";
    NotOpen: "not open", "未打开";
    PortFailed: "failed", "故障";
    Silent: "silent", "无应答";
    Answers: "answers", "有应答";
    Live: "Live", "实时值";
    Derived: "derived", "计算值";
    NoValue: "no value yet", "尚无数值";
    Traffic: "Traffic", "通信";
    AllRoles: "all roles", "所有角色";
    NoTraffic: "nothing has been sent yet", "尚未发送任何内容";
    Alarms: "Alarms", "报警";
    NoAlarms: "no alarms", "无报警";
    WorstFirst: "worst first", "最严重者在前";
    OrderTitle: "Order", "委托单";
    Customer: "customer", "委托方";
    Item: "item", "被校仪器";
    Procedure: "procedure", "程序";
    Points: "points", "校准点";
    Planned: "planned", "计划用时";
    Steps: "Steps", "步骤";
    StepIdentify: "identity of instruments", "仪器身份确认";
    StepPrepare: "preparation", "准备";
    StepSet: "set the source", "设定环境源";
    StepStabilise: "steady state", "稳定";
    StepRead: "readings", "读数";
    StepClose: "close point", "结束该点";
    StepSafe: "safe state of the source", "环境源安全状态";
    Point: "point", "点";
    Of: "of", "/";
    NoPlan: "the plan is not known yet", "尚无计划";
    NoPoint: "no point is under way", "当前没有进行中的点";
    Minutes: "min", "分";
    Now: "now", "现在";
    Reference: "reference", "标准";
    Unit: "unit", "被校";
    SetPoint: "set point", "设定值";
    Band: "band", "稳定带";
    Range: "range", "极差";
    Slope: "slope", "斜率";
    Scatter: "scatter", "标准差";
    OtherState: "other state", "状态不符";
    Soak: "soak", "恒温";
    ReadingsInWindow: "readings", "读数";
    NoFigures: "no steady-state figures yet", "尚无稳定性数据";
    WaitedFor: "waited", "已等待";
    AtLeast: "at least", "至少";
    AtMost: "at most", "至多";
    ReadingsTitle: "Readings of this point", "本点读数";
    NoReadings: "no scan of this point yet", "本点尚无扫描";
    Time: "time", "时间";
    Flags: "flags", "标志";
    Settling: "settling", "稳定中";
    Reading: "reading", "读数";
    Missing: "missing", "缺失";
    Operator: "Operator", "操作员";
    NothingToDo: "nothing to do: the run goes on by itself", "无需操作：程序自动进行";
    PausedHint: "paused: the stability window starts anew after resuming", "已暂停：恢复后稳定窗口重新开始";
    AnswerOnRun: "a question waits on screen 2", "屏幕 2 有问题待回答";
    LastNote: "last note", "最近备注";
    RunOpening: "OPEN", "打开中";
    RunRunning: "RUN", "运行";
    RunPaused: "PAUSED", "已暂停";
    RunHeld: "HELD", "待答复";
    RunEnded: "ENDED", "已结束";
    RunAborted: "ABORTED", "已中止";
    Frozen: "FROZEN", "画面冻结";
    Entries: "entries", "条记录";
    Chain: "chain", "链";
    Left: "left", "剩余";
    To: "to", "至";
    ResultsTitle: "Results", "结果";
    NoResults: "no point has been evaluated yet", "尚无已评定的点";
    Direction: "direction", "方向";
    Rising: "rising", "升";
    Falling: "falling", "降";
    Indication: "indication", "示值";
    Error: "error", "误差";
    Verdict: "verdict", "判定";
    Pass: "PASS", "合格";
    Fail: "FAIL", "不合格";
    ConditionalPass: "CONDITIONAL PASS", "有条件合格";
    ConditionalFail: "CONDITIONAL FAIL", "有条件不合格";
    NotStated: "NOT STATED", "不作判定";
    Preliminary: "~ preliminary", "~ 初步";
    Limits: "limits", "限值";
    NoLimits: "no limits agreed", "未约定限值";
    ErrorPlot: "Error with U and limits", "误差、U 与限值";
    Gum: "GUM", "GUM";
    MonteCarlo: "Monte Carlo", "蒙特卡洛";
    Validated: "GUM validated", "GUM 通过验证";
    NotValidated: "GUM not validated", "GUM 未通过验证";
    Reported: "reported", "报告";
    Budget: "Budget", "不确定度预算";
    Influence: "influence quantity", "影响量";
    Contribution: "|c|u", "|c|u";
    Share: "share", "占比";
    Sensitivity: "c", "c";
    DegreesOfFreedom: "dof", "自由度";
    Infinite: "inf", "∞";
    Probability: "P(conforming)", "合格概率";
    Hysteresis: "hysteresis", "回差";
    Trials: "trials", "次";
    Seed: "seed", "种子";
    Mapping: "Mapping", "空间分布";
    Locations: "locations", "位置";
    Mean: "mean", "均值";
    Lowest: "lowest", "最低";
    Highest: "highest", "最高";
    Help: "Keys on this screen", "本屏按键";
    AbortTitle: "Abort to the safe state: why?", "中止并转入安全状态：原因？";
    AbortHint: "the reason is recorded; Ctrl-C again aborts and leaves", "原因将被记录；再按 Ctrl-C 立即中止并退出";
    NoteTitle: "Note for the record", "写入记录的备注";
    ClosingTitle: "The session has ended", "会话已结束";
    ClosingBad: "The session ended with an error", "会话因错误结束";
    Lost: "the session stopped without saying why", "会话未说明原因即停止";
    Interrupted: "interrupted at the terminal (Ctrl-C)", "在终端中断（Ctrl-C）";
    TooSmall: "The terminal is too small", "终端窗口太小";
    Needs: "needed", "需要";
    Opened: "opened", "打开";
    TextUsed: "text", "文本";
    PortOpened: "port opened", "端口已打开";
    Answered: "answer", "答复";
    PausedBy: "paused by", "暂停：";
    ResumedBy: "resumed by", "恢复：";
    AbortedBy: "aborted by", "中止：";
    NoteBy: "note by", "备注：";
    Artefact: "file", "文件";
    Recovered: "taken up again", "重新接续";
    Kept: "kept in", "保存于";
    ClockJump: "clock jump", "时钟跳变";
    Sealed: "sealed", "已封存";
    Plan: "plan", "计划";
    Steady: "steady", "稳定";
    NotSteady: "not steady", "未稳定";
    Question: "question", "问题";
    PointComplete: "point complete", "点完成";
    PointGivenUp: "point given up", "点放弃";
    Result: "result", "结果";
    ErrorUnit: "error and U in", "误差与 U 的单位";
    Alarm: "ALARM", "报警";
    Warning: "warning", "警告";
    Notice: "notice", "提示";
    Finished: "finished", "完成";
    Aborted: "aborted", "中止";
    Other: "derived value", "计算结果";
    Replay: "Replay", "回放";
    ReplayState: "REPLAY", "回放";
    ReadOnly: "read only, no port is open", "只读，未打开任何端口";
    ReadOnlyShort: "read only", "只读";
    Timeline: "Timeline", "时间轴";
    EntriesTitle: "Entries", "条目";
    EntryTitle: "Entry", "条目";
    EntryNumber: "entry", "条目";
    KindTraffic: "traffic", "通信";
    KindStep: "step", "步骤";
    KindPerson: "person", "人员";
    KindAlarm: "alarm", "报警";
    AlarmMarks: "alarms", "报警";
    Notes: "notes", "备注";
    Restarts: "restarts", "接续";
    ClockJumps: "clock jumps", "时钟跳变";
    FilterTitle: "Show entries whose line holds this text (empty: all)", "仅显示含有以下文字的条目（留空：全部）";
    FilterHint: "the kind of entry is chosen with k", "按 k 选择条目类型";
    NothingFits: "no entry fits the filter", "没有符合筛选的条目";
    NoEntries: "the record holds no whole entry", "记录中没有完整条目";
    GoToTitle: "Go to the entry with this number", "转到该编号的条目";
    NumbersUpTo: "numbers of this record: 0 to", "本记录的编号：0 至";
    SinceOpening: "since the opening", "（自会话打开起）";
    Sent: "sent", "发送";
    Received: "received", "接收";
    NoReply: "belongs to no reply", "不属于任何应答";
    CertificateLine: "Certificate line", "证书行";
    CertificateLines: "Certificate lines", "证书各行";
    NoCertificate: "the record holds no certificate", "记录中没有证书";
    Looking: "looking it up in the record...", "正在查阅记录…";
    WhatIfTitle: "WHAT-IF: computed now, recorded nowhere", "假设：临时计算，不写入任何记录";
    LeftOut: "left out", "略去";
    Computing: "computing...", "正在计算…";
    OtherResult: "is", "变为";
    SameResult: "unchanged", "不变";
    RecordedResult: "recorded", "记录";
    Verification: "Recomputation", "重新计算";
    ChainHolds: "the chain holds", "链完整";
    ChainBroken: "ALTERED or damaged: entries are shown up to there", "被改动或损坏：仅显示此前的条目";
    TornTail: "torn behind the last entry, as by a crash", "最后一条之后残缺，如程序崩溃所致";
    SealHolds: "sealed", "已封存";
    NotSealed: "not closed by a seal", "未封存关闭";
    Recomputing: "every derived value is being computed again...", "正在重新计算全部导出值…";
    Identical: "derived values computed again, identical", "个导出值已重新计算，完全一致";
    ValueDiffers: "DIFFERS", "不一致";
    FilesIdentical: "files made again, identical", "个文件已重新生成，完全一致";
    NotCompared: "files of another version, not compared", "个文件由其他版本生成，未比较";
    ByThisProgram: "by this program; nothing is written, no port is opened", "由本程序计算；不写入任何内容，不打开任何端口";
    VerdictIdentical: "identical", "一致";
    VerdictIncomplete: "incomplete", "不完整";
    VerdictAltered: "ALTERED", "被改动";
    VerdictPending: "recomputing", "重新计算中";
    ReadingOn: "reading the record up to here", "正在读取记录至此";
    BytesInHex: "bytes", "字节";
    BytesAsText: "as text", "文本";
    TalkKeys: "F1 help  Enter send  PgUp PgDn scroll  Ctrl-C leave", "F1 帮助  Enter 发送  PgUp PgDn 滚动  Ctrl-C 退出";
    TalkHelp: "NAME x=1  a command of the description, arguments\nTEXT      sent with the end of a request; \\r \\xNN\n>TEXT     so even where TEXT is the name of a command\n>>TEXT    sent as it is, without an end\n> sent  < received  ~ unasked  = meaning  ! trouble\nWhat sets, adjusts or is unknown needs --allow.\nUp Down: earlier lines. Esc: clear. End: newest.", "命令名 x=1  描述文件中的命令及其参数\n文本        加请求结束符后发送；\\r \\xNN 表示字节\n>文本       即使与命令同名也按文本发送\n>>文本      原样发送，不加结束符\n> 发送  < 接收  ~ 未经请求  = 含义  ! 故障\n设定、调整及未知命令须用 --allow 允许。\n上下键：历史。Esc：清除。End：最新。";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_said_in_both_languages() {
        for word in Word::ALL {
            for language in [Language::En, Language::Zh] {
                let text = word.get(language);
                assert!(
                    !text.trim().is_empty() && text == text.trim(),
                    "{word:?} {language:?}"
                );
            }
            assert!(word.get(Language::En).is_ascii(), "{word:?} is not English");
        }
    }

    #[test]
    fn only_symbols_are_the_same_in_both_languages() {
        let same: Vec<_> = Word::ALL
            .iter()
            .filter(|word| word.get(Language::En) == word.get(Language::Zh))
            .collect();
        assert_eq!(same, [&Word::Gum, &Word::Contribution, &Word::Sensitivity]);
    }
}
