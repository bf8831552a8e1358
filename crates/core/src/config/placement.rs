//! Which cluster, which nodes, which image, and what the pod is labelled with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::grammar::{LABEL_KEY, LABEL_VALUE, is_reserved_label};
use super::kubeconfig;
use super::reader::Reader;
use super::structured::{shown, shown_text};
use super::types::{ConcurrencyScope, ImagePullPolicy, Isolation, KubeconfigSource};

impl ImagePullPolicy {
    /// The Kubernetes words.
    pub(super) const WORDS: [(&'static str, Self); 3] =
        [("IfNotPresent", Self::IfNotPresent), ("Always", Self::Always), ("Never", Self::Never)];

    /// The Kubernetes word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

impl ConcurrencyScope {
    /// The words of the configuration.
    pub(super) const WORDS: [(&'static str, Self); 2] = [("agent", Self::Agent), ("task", Self::Task)];
}

impl Isolation {
    /// The words of the configuration.
    pub(super) const WORDS: [(&'static str, Self); 3] =
        [("server", Self::Server), ("agent", Self::Agent), ("none", Self::None)];

    /// How much it keeps from a pod, for comparing.
    #[must_use]
    pub fn strength(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Server => 1,
            Self::Agent => 2,
        }
    }

    /// The level that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, level)| *level)
    }

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, level)| *level == self).map_or("", |(word, _)| word)
    }
}

/// `kubeconfig` or `kubeconfigData`. Neither text is ever shown: it may hold a client key.
pub(super) fn kubeconfig(reader: &mut Reader<'_>) -> Option<KubeconfigSource> {
    let path_or_content = reader.text("kubeconfig");
    let content = reader.text("kubeconfigData");
    if path_or_content.is_some() && content.is_some() {
        reader.reject("kubeconfigData", "cannot be combined with `kubeconfig`; remove one of the two");
        return None;
    }
    if let Some(content) = content {
        if !is_kubeconfig_content(&content) {
            reader.reject("kubeconfigData", "is not the content of a kubeconfig; a path belongs into `kubeconfig`");
            return None;
        }
        return inline(reader, "kubeconfigData", &content);
    }
    let text = path_or_content?;
    if is_kubeconfig_content(&text) {
        return inline(reader, "kubeconfig", &text);
    }
    if !text.starts_with('/') {
        reader.reject("kubeconfig", "is neither an absolute path nor the content of a kubeconfig");
        return None;
    }
    Some(KubeconfigSource::Path(PathBuf::from(text)))
}

fn inline(reader: &mut Reader<'_>, key: &'static str, content: &str) -> Option<KubeconfigSource> {
    match kubeconfig::parse(key, content) {
        Ok(inline) => {
            if inline.is_insecure() {
                let text = "`insecure-skip-tls-verify` lets anybody on the way read what a run brings along; give `certificate-authority-data` instead";
                reader.warn(key, text);
            }
            Some(KubeconfigSource::Inline(inline))
        }
        Err(reasons) => {
            for reason in reasons {
                reader.reject(key, reason);
            }
            None
        }
    }
}

fn is_kubeconfig_content(text: &str) -> bool {
    text.starts_with('{') || text.starts_with("apiVersion") || text.contains('\n')
}

/// `image`.
pub(super) fn image(reader: &mut Reader<'_>) -> Option<String> {
    let image = reader.text("image")?;
    if image.contains(char::is_whitespace) {
        reader.reject("image", format!("expected an image reference without white space, got {}", shown_text(&image)));
        return None;
    }
    Some(image)
}

/// `labels` without the reserved ones, which one warning names.
pub(super) fn labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let entries = reader.map("labels").unwrap_or_default();
    let (reserved, free): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| is_reserved_label(key));
    if !reserved.is_empty() {
        let names: Vec<String> = reserved.iter().map(|(key, _)| format!("`{key}`")).collect();
        reader.warn("labels", format!("skipped {}: these names are reserved", names.join(", ")));
    }
    checked_labels(reader, "labels", free)
}

/// `nodeSelector`.
pub(super) fn node_selector(reader: &mut Reader<'_>) -> Option<BTreeMap<String, String>> {
    let entries = reader.map("nodeSelector")?;
    Some(checked_labels(reader, "nodeSelector", entries))
}

fn checked_labels(reader: &mut Reader<'_>, key: &str, entries: Vec<(String, String)>) -> BTreeMap<String, String> {
    for (name, value) in &entries {
        for (text, grammar) in [(name, &LABEL_KEY), (value, &LABEL_VALUE)] {
            if !grammar.accepts(text) {
                let shown = shown_text(text);
                reader.reject(format!("{key}.{name}"), format!("{shown} is not {} ({})", grammar.name, grammar.rule));
            }
        }
    }
    entries.into_iter().collect()
}

/// `podTemplate`, checked as far as that is possible without the pod it is merged into.
pub(super) fn pod_template(reader: &mut Reader<'_>) -> Option<Map<String, Value>> {
    let key = "podTemplate";
    match reader.yaml(key)? {
        Value::Object(overrides) => {
            reader.rejections.extend(super::pod_template::check(&overrides));
            Some(overrides)
        }
        other => {
            reader.reject(key, format!("expected an object with `metadata` and `spec`, got {}", shown(&other)));
            None
        }
    }
}
