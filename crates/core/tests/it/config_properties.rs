//! CFG-02 for values nobody thought of: taken, corrected with a warning, or refused; never ignored.

use claude_k8s_core::config::{Config, rows};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,12}",
        any::<String>(),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("a: {b: [1, null]}".to_owned()),
        Just("a=b\n#c".to_owned()),
        "-{0,2}[a-z-]{1,10}( [a-z'\"=]{0,5})?",
        "/[a-z/.]{0,12}",
        "[0-9.]{1,4}(m|Gi|e[0-9]{1,3})?",
    ];
    let name = prop_oneof![
        "[a-zA-Z_.]{1,8}",
        any::<String>(),
        proptest::sample::select(vec![
            "requests",
            "limits",
            "cpu",
            "key",
            "operator",
            "metadata",
            "spec",
            "containers",
            "name",
            "type",
            "value"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-10_i64..100_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whether a value that changed nothing was allowed to: it is unset, says what holds anyway, or says nothing.
fn means_the_default(default: &str, value: &Value) -> bool {
    let default = default.trim_matches('`');
    match value {
        Value::Null => true,
        Value::Bool(flag) => flag.to_string() == default,
        Value::Number(number) => number.as_f64() == default.parse().ok(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(|value| means_the_default("", value)),
        Value::String(text) => {
            let text = text.trim();
            let lines_say_nothing = text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'));
            let parsed = serde_json::from_str(text).or_else(|_| serde_saphyr::from_str::<Value>(text).map_err(drop));
            let says_nothing = parsed
                .is_ok_and(|value| !value.is_string() && !value.is_number() && means_the_default(default, &value));
            lines_say_nothing || text == default || says_nothing || text.parse::<i64>().ok() == default.parse().ok()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cfg_02_no_value_is_silently_replaced_by_a_default(
        (key, default) in proptest::sample::select(rows().filter(|row| row.place() != "host").map(|row| (row.name(), row.default())).collect::<Vec<_>>()),
        value in any_json(),
    ) {
        let empty = Config::parse(&Map::new()).unwrap();
        let config = json!({ key: value });
        match Config::parse(config.as_object().unwrap()) {
            Err(rejections) => {
                prop_assert!(!rejections.is_empty());
                for rejection in rejections {
                    let rest = rejection.key.strip_prefix(key);
                    prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])), "{}", rejection.key);
                }
            }
            Ok(parsed) if parsed == empty => {
                prop_assert!(means_the_default(&default, &value), "`{key}` ignored {value}");
            }
            Ok(parsed) => prop_assert!(parsed.warnings.iter().all(|warning| warning.key.starts_with(key))),
        }
    }

    #[test]
    fn a_whole_configuration_of_nonsense_never_panics(values in proptest::collection::vec(any_json(), rows().count())) {
        let config: Map<String, Value> = rows().map(|row| row.name().to_owned()).zip(values).collect();
        if let Err(rejections) = Config::parse(&config) {
            prop_assert!(!rejections.is_empty());
        }
    }
}
