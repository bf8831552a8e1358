use proptest::prelude::*;
use serde_json::json;

use super::*;

fn redactor(values: &[&str]) -> Redactor {
    Redactor::new(values.iter().map(|value| (*value).to_owned()))
}

fn in_pieces<'t>(redactor: &Redactor, pieces: impl IntoIterator<Item = &'t str>) -> String {
    let (mut stream, mut out) = (redactor.stream(), String::new());
    for piece in pieces {
        stream.push(piece, &mut out);
    }
    stream.finish(&mut out);
    out
}

#[test]
fn values_are_replaced_in_every_form_json_gives_them() {
    let value = "pa\"ss\\wörd\n🦀\tx";
    let redactor = redactor(&[value]);
    let once = serde_json::to_string(value).unwrap();
    let twice = serde_json::to_string(&once).unwrap();
    let ascii = r#""pa\"ss\\w\u00f6rd\n\ud83e\udd80\tx""#.to_owned();
    let ascii_inside = serde_json::to_string(&ascii).unwrap();
    for text in [format!("x{value}y"), once, twice, ascii, ascii_inside] {
        let redacted = redactor.redact(&text);
        assert_eq!(redacted.matches(REDACTED).count(), 1, "{text} became {redacted}");
        assert!(!redacted.contains("rd"), "{redacted}");
    }
}

#[test]
fn short_values_and_no_values_leave_the_text_alone() {
    for redactor in [redactor(&[]), redactor(&["1234567", "", "\n\n\n\n\n\n\n\n\n1"])] {
        let text = "the value 1234567 stays";
        assert!(matches!(redactor.redact(text), Cow::Borrowed(_)));
        assert_eq!(in_pieces(&redactor, [text]), text);
    }
    assert!(redactor(&["1234567"]).is_empty(), "eight characters are needed");
    assert_eq!(redactor(&["äöüäöüäö"]).redact("äöüäöüäö"), REDACTED, "characters, not bytes");
}

#[test]
fn a_value_with_a_final_newline_is_found_without_it() {
    assert_eq!(redactor(&["token-from-a-file\n"]).redact("Bearer token-from-a-file!"), "Bearer ***REDACTED***!");
}

#[test]
fn the_longest_of_two_values_with_the_same_start_is_replaced_whole() {
    let redactor = redactor(&["abcdefgh", "abcdefghijkl"]);
    for text in ["abcdefghijkl", "abcdefghijk", "abcdefgh"] {
        let whole = redactor.redact(text).into_owned();
        for split in 0..=text.len() {
            assert_eq!(in_pieces(&redactor, [&text[..split], &text[split..]]), whole);
        }
    }
}

#[test]
fn prm_07_a_value_is_found_whatever_two_places_split_it() {
    let value = "sécret\n-värde-🦀";
    let redactor = redactor(&[value, "värde-🦀-other"]);
    let text = format!("before {value} after {} s\u{e9}cre", serde_json::to_string(value).unwrap());
    let whole = redactor.redact(&text).into_owned();
    assert_eq!(whole.matches(REDACTED).count(), 2);
    let borders: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
    for (index, first) in borders.iter().enumerate() {
        for second in &borders[index..] {
            let pieces = [&text[..*first], &text[*first..*second], &text[*second..]];
            assert_eq!(in_pieces(&redactor, pieces), whole);
        }
    }
}

#[test]
fn a_piece_that_cannot_begin_a_value_is_passed_on_at_once() {
    let mut stream = redactor(&["secret-value"]).stream();
    let mut out = String::new();
    stream.push("a line\n", &mut out);
    assert_eq!(out, "a line\n");
    stream.push("a sec", &mut out);
    assert_eq!(out, "a line\na ");
    stream.push("ond\n", &mut out);
    assert_eq!(out, "a line\na second\n");
}

#[test]
fn json_is_redacted_in_strings_and_names_and_keeps_its_order() {
    let mut value = json!({ "b": ["xsecret-valuex", 1, null], "secret-value": { "a": "secret-value" } });
    redactor(&["secret-value"]).redact_json(&mut value);
    let expected = json!({ "b": ["x***REDACTED***x", 1, null], REDACTED: { "a": REDACTED } });
    assert_eq!(value.to_string(), expected.to_string());
}

#[test]
fn debug_output_holds_no_value() {
    assert_eq!(format!("{:?}", redactor(&["secret-value"])), "Redactor { forms: 3 }");
}

#[test]
fn tru_22_a_value_is_found_in_the_forms_of_json_urls_html_and_base64() {
    let value = "pa/ss&w<ör>d+ =\"it's\"";
    let redactor = redactor(&[value]);
    for written in [
        r#"pa\/ss&w<ör>d+ =\"it's\""#,
        r#"pa/ss\u0026w\u003cör\u003ed+ =\"it's\""#,
        r#"pa\/ss&w<\u00f6r>d+ =\"it's\""#,
        r#"pa\\/ss&w<ör>d+ =\\\"it's\\\""#,
        "pa%2Fss%26w%3C%C3%B6r%3Ed%2B%20%3D%22it%27s%22",
        "pa%2fss%26w%3c%c3%b6r%3ed%2b%20%3d%22it%27s%22",
        "pa%2Fss%26w%3C%C3%B6r%3Ed%2B%20%3D%22it's%22",
        "pa%2Fss%26w%3C%C3%B6r%3Ed%2B+%3D%22it%27s%22",
        "pa/ss&amp;w&lt;ör&gt;d+ =&quot;it&#39;s&quot;",
        "pa/ss&amp;w&lt;ör&gt;d+ =&quot;it&#x27;s&quot;",
        "cGEvc3MmdzzDtnI+ZCsgPSJpdCdzIg==",
        "cGEvc3MmdzzDtnI-ZCsgPSJpdCdzIg",
        "cGEvc3MmdzzDtnI+ZCsgPSJpdCdzIgo=", // by `echo`, with its newline
    ] {
        let text = format!("before {written} after");
        let expected = format!("before {REDACTED}");
        let redacted = redactor.redact(&text);
        assert!(redacted.starts_with(&expected) && redacted.len() <= expected.len() + 9, "{redacted}");
        assert_eq!(in_pieces(&redactor, text.split_inclusive(|_| true)), redacted);
    }
}

#[test]
fn tru_22_a_value_of_several_lines_is_found_line_by_line_but_its_frame_is_not() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\r\n  kqhkiG9w0BAQEF\nshort\n-----END KEY-----\n";
    let redactor = redactor(&[key]);
    let printed = "1: MIIEvQIBADANBg; kqhkiG9w0BAQEF short -----BEGIN KEY-----";
    assert_eq!(redactor.redact(printed), "1: ***REDACTED***; ***REDACTED*** short -----BEGIN KEY-----");
    assert_eq!(redactor.redact(&key.replace('\n', "; ")).matches(REDACTED).count(), 2);
}

#[test]
fn tru_22_the_end_of_a_text_holds_no_half_of_a_value() {
    let redactor = redactor(&["secret-value"]);
    for keep in 0..=30 {
        let text = "xxxxxxxx secret-value yyyyyyyy";
        let end = redactor.redact_end(text, keep);
        let whole = redactor.redact(text);
        assert!(whole.ends_with(&end) || end.starts_with(REDACTED), "{keep}: {end}");
        assert!(!(0..8).any(|at| end.contains(&"secret-value"[at..])), "{keep}: {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn prm_07_pieces_give_what_the_whole_text_gives(
        values in prop::collection::vec("[ab]{8,11}", 1..4),
        pieces in prop::collection::vec("[ab\n]{0,14}", 0..12),
    ) {
        let redactor = Redactor::new(values.clone());
        let text = pieces.concat();
        let out = in_pieces(&redactor, pieces.iter().map(String::as_str));
        prop_assert_eq!(&out, &redactor.redact(&text));
        for value in values {
            prop_assert!(!out.contains(&value));
        }
    }
}
