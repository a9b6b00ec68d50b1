//! A realistic certificate for the tests of this crate: a thermo-hygrometer, ten points.

use heng_quantities::{Decimal, Text, Unit};

use crate::document::{
    BudgetLine, BudgetTable, Cells, Certificate, Column, ConformityStatement, Expanded,
    FormulaNote, Influence, Item, Method, Party, Person, Plot, PlotPoint, Program, RecordRef,
    Series, Standard, Table,
};

type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Direction, reference, indication, error, U; %RH, at 20 °C.
const HUMIDITY: [Row; 10] = [
    ("rising", "10.6", "11.7", "1.1", "1.2"),
    ("rising", "30.4", "30.9", "0.5", "1.2"),
    ("rising", "50.3", "50.1", "-0.2", "1.3"),
    ("rising", "70.1", "69.3", "-0.8", "1.4"),
    ("rising", "89.8", "88.4", "-1.4", "1.6"),
    ("falling", "89.8", "88.4", "-1.4", "1.6"),
    ("falling", "70.2", "69.9", "-0.3", "1.4"),
    ("falling", "50.2", "50.7", "0.5", "1.3"),
    ("falling", "30.3", "31.5", "1.2", "1.2"),
    ("falling", "10.5", "11.9", "1.4", "1.2"),
];

/// Reference, indication, error, U in °C and K.
const TEMPERATURE: [Row; 10] = [
    ("rising", "-10.02", "-10.11", "-0.09", "0.11"),
    ("rising", "4.98", "4.91", "-0.07", "0.10"),
    ("rising", "20.05", "20.01", "-0.04", "0.10"),
    ("rising", "35.01", "35.03", "0.02", "0.10"),
    ("rising", "50.03", "50.11", "0.08", "0.12"),
    ("falling", "50.02", "50.12", "0.10", "0.12"),
    ("falling", "34.99", "35.03", "0.04", "0.10"),
    ("falling", "20.04", "20.02", "-0.02", "0.10"),
    ("falling", "5.01", "4.96", "-0.05", "0.10"),
    ("falling", "-10.01", "-10.08", "-0.07", "0.11"),
];

fn unit(symbol: &str) -> Unit {
    symbol.parse().unwrap()
}

fn decimal(digits: &str) -> Decimal {
    digits.parse().unwrap()
}

fn numbers(
    (key, name, ref_type): (&str, Text, &str),
    symbol: &str,
    digits: impl Iterator<Item = &'static str>,
) -> Column {
    Column {
        key: key.to_owned(),
        name,
        ref_type: Some(ref_type.to_owned()),
        cells: Cells::Number {
            unit: unit(symbol),
            values: digits.map(decimal).collect(),
            uncertainty: None,
        },
    }
}

fn errors(symbol: &str, rows: &[Row; 10]) -> Column {
    let head = (
        "error",
        Text::new("Error", "示值误差"),
        "basic_measurementError",
    );
    let mut column = numbers(head, symbol, rows.iter().map(|row| row.3));
    if let Cells::Number { uncertainty, .. } = &mut column.cells {
        let expanded = |row: &Row| Expanded {
            value: decimal(row.4),
            k: 2.0,
            coverage: 0.95,
            distribution: "normal".to_owned(),
            dof: Some(214.6),
        };
        *uncertainty = Some(rows.iter().map(expanded).collect());
    }
    column
}

fn table(id: &str, title: Text, symbol: &str, rows: &[Row; 10]) -> Table {
    let direction = |row: &Row| match row.0 {
        "rising" => Text::new("rising", "上行"),
        _ => Text::new("falling", "下行"),
    };
    let reference = (
        "reference",
        Text::new("Reference value", "参考值"),
        "basic_referenceValue",
    );
    let indication = (
        "indication",
        Text::new("Indication", "示值"),
        "basic_measuredValue",
    );
    Table {
        id: id.to_owned(),
        title,
        note: Some(Text::new(
            "Points in the order of the measurement; error = indication − reference value.",
            "各点按测量顺序排列; 示值误差 = 示值 − 参考值。",
        )),
        columns: vec![
            Column {
                key: "direction".to_owned(),
                name: Text::new("Direction", "行程"),
                ref_type: None,
                cells: Cells::Text(rows.iter().map(direction).collect()),
            },
            numbers(reference, symbol, rows.iter().map(|row| row.1)),
            numbers(indication, symbol, rows.iter().map(|row| row.2)),
            errors(unit(symbol).difference().symbol(), rows),
            Column {
                key: "verdict".to_owned(),
                name: Text::new("Verdict", "判定"),
                ref_type: None,
                cells: Cells::Verdict {
                    of: "error".to_owned(),
                    verdicts: rows.iter().map(|_| "pass".to_owned()).collect(),
                },
            },
        ],
    }
}

fn plot(title: Text, symbol: &str, rows: &[Row; 10], limit: f64) -> Plot {
    let series = |name: &str, text: Text| Series {
        name: text,
        points: rows
            .iter()
            .filter(|row| row.0 == name)
            .map(|row| PlotPoint {
                x: decimal(row.1).to_f64(),
                y: decimal(row.3).to_f64(),
                u: decimal(row.4).to_f64(),
            })
            .collect(),
    };
    Plot {
        title,
        x_label: Text::new("Reference value", "参考值"),
        x_unit: unit(symbol),
        y_label: Text::new("Error", "示值误差"),
        y_unit: unit(symbol).difference(),
        series: vec![
            series("rising", Text::new("rising", "上行")),
            series("falling", Text::new("falling", "下行")),
        ],
        limit_low: Some(-limit),
        limit_high: Some(limit),
    }
}

/// Symbol, name, value, unit, u, distribution, degrees of freedom, c, contribution, share.
const BUDGET: &str = "\
U_i|Indication of the item, mean of 20|被校器具示值, 20 次平均|50.10|%RH|0.022|t|t|19|1.00|0.022|0.1
δ_res|Resolution of the item|被校器具分辨力|0|%RH|0.029|rectangular|均匀|∞|1.00|0.029|0.2
t_d|Dew point, mean of 20|露点, 20 次平均|9.334|°C|0.004|t|t|19|-3.37|0.013|0.0
δ_td,cal|Calibration of the dew point hygrometer|露点仪校准|-0.02|K|0.050|normal|正态|50|-3.37|0.169|7.0
t_a|Air temperature, mean of 20|空气温度, 20 次平均|20.051|°C|0.003|t|t|19|3.10|0.009|0.0
δ_ta,cal|Calibration of the thermometer|温度计校准|0.004|K|0.010|normal|正态|50|3.10|0.031|0.2
δ_grad|Temperature gradient in the chamber|箱内温度梯度|0|K|0.173|rectangular|均匀|∞|3.10|0.537|70.6
δ_hyst|Hysteresis of the item|被校器具迟滞|0|%RH|0.202|rectangular|均匀|∞|1.00|0.202|10.0
δ_f|Vapour pressure and enhancement formulas|水汽压与增强因子公式|0|%RH|0.220|normal|正态|∞|1.00|0.220|11.9";

fn budget_line(line: &str) -> BudgetLine {
    let cells: Vec<&str> = line.split('|').collect();
    let cell = |at: usize| cells[at].to_owned();
    BudgetLine {
        symbol: cell(0),
        name: Text::new(cells[1], cells[2]),
        value: cell(3),
        unit: cell(4),
        u: cell(5),
        distribution: Text::new(cells[6], cells[7]),
        dof: cell(8),
        sensitivity: cell(9),
        contribution: cell(10),
        share: cell(11),
    }
}

fn budget() -> BudgetTable {
    let compared = |en: &str, zh: &str, gum: &str, monte_carlo: &str| {
        [Text::new(en, zh), Text::same(gum), Text::same(monte_carlo)]
    };
    BudgetTable {
        title: Text::new(
            "Relative humidity, point 3 (50 %RH, 20 °C, rising)",
            "相对湿度, 第 3 点 (50 %RH, 20 °C, 上行)",
        ),
        unit: unit("%RH"),
        rows: BUDGET.lines().map(budget_line).collect(),
        result: vec![
            Text::new(
                "Combined standard uncertainty: 0.639 %RH",
                "合成标准不确定度: 0.639 %RH",
            ),
            Text::new(
                "Expanded uncertainty: U = 1.3 %RH, k = 2.00",
                "扩展不确定度: U = 1.3 %RH, k = 2.00",
            ),
        ],
        comparison: Some(vec![
            compared("Error, %RH", "示值误差, %RH", "-0.20", "-0.20"),
            compared(
                "Lower end of the interval, %RH",
                "区间下限, %RH",
                "-1.48",
                "-1.39",
            ),
            compared(
                "Upper end of the interval, %RH",
                "区间上限, %RH",
                "1.08",
                "0.99",
            ),
        ]),
    }
}

fn standards() -> Vec<Standard> {
    let one =
        |role: Text, name: Text, model: &str, serial: &str, certificate: &str, digit: &str| {
            Standard {
                role,
                name,
                model: model.to_owned(),
                serial: serial.to_owned(),
                certificate: certificate.to_owned(),
                issuer: Text::new("Simulated reference laboratory", "模拟标准实验室"),
                calibrated: "2026-03-02".to_owned(),
                valid_until: "2027-03-01".to_owned(),
                sha256: digit.repeat(64),
                traceable: false,
                in_validity: true,
            }
        };
    vec![
        one(
            Text::new("dew point", "露点"),
            Text::new("Chilled-mirror hygrometer", "冷镜式露点仪"),
            "MBW 473",
            "473-0917",
            "SIM-H-2026-014",
            "a",
        ),
        one(
            Text::new("air temperature", "空气温度"),
            Text::new("Thermometer readout with Pt100", "测温仪及 Pt100 铂电阻"),
            "Fluke 1529",
            "B2C117",
            "SIM-T-2026-021",
            "b",
        ),
        one(
            Text::new("air pressure", "气压"),
            Text::new("Barometer", "气压计"),
            "PTB330",
            "N4410012",
            "SIM-P-2026-009",
            "c",
        ),
    ]
}

fn environment() -> Vec<Influence> {
    let one = |name: Text, ref_type: &str, symbol: &str, values: [&str; 3]| Influence {
        name,
        ref_type: Some(ref_type.to_owned()),
        unit: unit(symbol),
        min: decimal(values[0]),
        mean: decimal(values[1]),
        max: decimal(values[2]),
    };
    vec![
        one(
            Text::new("Ambient temperature", "环境温度"),
            "basic_temperature",
            "°C",
            ["22.6", "23.0", "23.3"],
        ),
        one(
            Text::new("Ambient relative humidity", "环境相对湿度"),
            "basic_humidityRelative",
            "%RH",
            ["41", "44", "47"],
        ),
        one(
            Text::new("Air pressure", "大气压力"),
            "basic_pressure",
            "hPa",
            ["1012.81", "1013.02", "1013.27"],
        ),
    ]
}

fn parties() -> (Party, Party) {
    (
        Party {
            name: Text::new("Simulated Calibration Laboratory", "模拟校准实验室"),
            address: Text::new(
                "1 Example Road, Changsha, Hunan, China",
                "中国湖南省长沙市示例路 1 号",
            ),
            contact: "calibration@lab.example".to_owned(),
            code: None,
        },
        Party {
            name: Text::new("Example Pharmaceutical Co., Ltd.", "示例制药有限公司"),
            address: Text::new(
                "88 Sample Avenue, Zhuzhou, Hunan, China",
                "中国湖南省株洲市样品大道 88 号",
            ),
            contact: "+86 731 5550 0188".to_owned(),
            code: Some("WT-2026-0457".to_owned()),
        },
    )
}

fn persons() -> Vec<Person> {
    let one = |en: &str, zh: &str, name: &str, main_signer| Person {
        role: Text::new(en, zh),
        name: name.to_owned(),
        main_signer,
    };
    vec![
        one("Calibrated by", "校准", "张明", false),
        one("Checked by", "核验", "Li Hua", false),
        one("Authorised by", "批准", "王芳", true),
    ]
}

fn item() -> Item {
    Item {
        name: Text::new("Humidity and temperature transmitter", "温湿度变送器"),
        manufacturer: "Vaisala".to_owned(),
        model: "HMT330".to_owned(),
        serial: "P4210663".to_owned(),
        condition: Text::new("clean, undamaged, not adjusted", "清洁, 无损伤, 未调整"),
    }
}

fn methods() -> Vec<Method> {
    vec![Method {
        id: "thermo-hygrometer-comparison".to_owned(),
        version: "1.0".to_owned(),
        title: Text::new(
            "Calibration of thermo-hygrometers by comparison in a climatic chamber",
            "恒温恒湿箱比较法校准温湿度计",
        ),
        norm: vec!["JJF 1076-2020".to_owned()],
        sha256: "d".repeat(64),
    }]
}

fn conformity() -> Vec<ConformityStatement> {
    vec![ConformityStatement {
        text: Text::new(
            "All points of relative humidity (limits ± 3.5 %RH) and temperature (limits ± 0.3 °C), specification of the customer",
            "全部相对湿度点 (允许误差 ± 3.5 %RH) 与温度点 (允许误差 ± 0.3 °C), 依据委托方技术要求",
        ),
        verdict: "pass".to_owned(),
    }]
}

/// The sample of `fixtures/certificates/thermo-hygrometer.json`.
pub(crate) fn thermo_hygrometer() -> Certificate {
    let (laboratory, customer) = parties();
    Certificate {
        number: "DEMO-2026-0001".to_owned(),
        program: Program { name: "heng".to_owned(), version: "0.1.0".to_owned() },
        demonstration: true,
        title: Text::new("Calibration Certificate", "校准证书"),
        place: laboratory.address.clone(),
        laboratory,
        customer,
        item: item(),
        received: Some("2026-05-11".to_owned()),
        begun: "2026-05-12".to_owned(),
        ended: "2026-05-13".to_owned(),
        issued: "2026-05-14".to_owned(),
        country: "CN".to_owned(),
        methods: methods(),
        formulas: vec![FormulaNote {
            name: "pws_hardy".to_owned(),
            version: 1,
            title: Text::new("Saturation vapour pressure over water", "水面饱和水汽压"),
            source: "Hardy, Proc. 3rd Int. Symp. on Humidity and Moisture, Teddington, 1998".to_owned(),
            ranges: vec!["t: 0 … 100 °C".to_owned()],
            forced: Vec::new(),
        }],
        model: "U_ref = 100 * f(t_d, p) * e_w(t_d) / (f(t_a, p) * e_w(t_a))\nE = U_i + δ_res + δ_hyst − U_ref".to_owned(),
        standards: standards(),
        environment: environment(),
        tables: vec![
            table("humidity", Text::new("Relative humidity at 20 °C", "相对湿度 (20 °C)"), "%RH", &HUMIDITY),
            table("temperature", Text::new("Temperature", "温度"), "°C", &TEMPERATURE),
        ],
        budgets: vec![budget()],
        plots: vec![
            plot(Text::new("Error of the relative humidity", "相对湿度示值误差"), "%RH", &HUMIDITY, 3.5),
            plot(Text::new("Error of the temperature", "温度示值误差"), "°C", &TEMPERATURE, 0.3),
        ],
        decision_rule: Some(Text::new(
            "ILAC-G8:09/2019, guarded acceptance: a result passes where |error| + U does not exceed the limit; agreed with the customer before the calibration.",
            "ILAC-G8:09/2019 保护带接受准则: |示值误差| + U 不超过最大允许误差判为合格; 校准前已与委托方商定。",
        )),
        conformity: conformity(),
        statements: vec![Text::new(
            "Relative humidity is stated over water at all temperatures.",
            "各温度下的相对湿度均相对于水面饱和。",
        )],
        persons: persons(),
        software: Vec::new(),
        record: RecordRef {
            file: "DEMO-2026-0001.jsonl".to_owned(),
            entries: 18_204,
            head: "5e".repeat(32),
        },
    }
}
