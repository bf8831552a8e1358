//! What parsing says about a value that it did not take as it is.

/// A value that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The key as the operator wrote it, down to the offending part: `resources.limits.cpu`,
    /// `tolerations[0].effect`, `podTemplate.spec.containers[claude].command`.
    pub key: String,
    /// Why, as the end of the sentence `<key>: …`.
    pub reason: String,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

/// A value that was accepted with a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The key as the operator wrote it.
    pub key: String,
    /// What was done instead.
    pub text: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "config.{}: {}", self.key, self.text)
    }
}

/// The `errorMessage` for refused values: `Invalid adapter configuration: <key>: <reason>[; …]`.
#[must_use]
pub fn invalid_configuration(rejections: &[Rejection]) -> String {
    let list: Vec<String> = rejections.iter().map(ToString::to_string).collect();
    format!("Invalid adapter configuration: {}", list.join("; "))
}
