//! GRD-10: one function makes labels, selectors and names, for any id.

use claude_k8s_core::names::{JobName, agent_selector, is_path_part, label_value};
use proptest::prelude::*;

fn is_label_value(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn is_dns_label(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn uuid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
}

proptest! {
    #[test]
    fn grd_10_any_id_becomes_a_legal_label_or_none(id in any::<String>()) {
        match label_value(&id) {
            Some(label) => prop_assert!(is_label_value(&label), "{label:?}"),
            None => prop_assert!(!id.chars().any(|c| c.is_ascii_alphanumeric()) || id.len() > 63, "{id:?}"),
        }
    }

    #[test]
    fn grd_10_a_label_is_its_own_label_so_selector_and_label_agree(id in "[ -~]{0,80}") {
        if let Some(label) = label_value(&id) {
            prop_assert_eq!(label_value(&label), Some(label.clone()));
            let selector = agent_selector(&label);
            let first = selector.split(',').next().unwrap_or_default().to_owned();
            prop_assert_eq!(first, format!("paperclip.io/agent-id={label}"));
        }
    }

    #[test]
    fn grd_10_any_ids_become_a_legal_job_name_with_room_for_its_secrets(agent in any::<String>(), run in any::<String>()) {
        for attempt in [1, 2] {
            let name = JobName::new(&agent, &run, attempt);
            prop_assert!(is_dns_label(name.as_str()), "{name}");
            prop_assert!(name.as_str().len() <= 46, "{name}");
            prop_assert_eq!(&name, &JobName::new(&agent, &run, attempt));
            prop_assert!(is_dns_label(&name.bundle_secret(999)));
        }
    }

    #[test]
    fn grd_10_distinct_runs_have_distinct_names(agent in uuid(), one in uuid(), other in uuid()) {
        prop_assume!(one != other);
        prop_assert_ne!(JobName::new(&agent, &one, 1), JobName::new(&agent, &other, 1));
        prop_assert_ne!(JobName::new(&agent, &one, 1), JobName::new(&agent, &one, 2));
    }

    #[test]
    fn grd_10_a_path_part_never_leaves_its_directory(id in "[./\\\\a-c\\x00]{0,8}") {
        let path = std::path::Path::new("/base").join(&id);
        let plain = path.components().count() == 3 && path.starts_with("/base");
        prop_assert!(!is_path_part(&id) || plain, "{id:?}");
    }
}

#[test]
fn grd_10_ids_that_only_differ_in_their_tail_have_distinct_names() {
    let agent = "agent";
    let names = ["0123456789abcdef-1", "0123456789abcdef-2"].map(|run| JobName::new(agent, run, 1));
    assert_ne!(names[0], names[1]);
}
