//! Why a run did not succeed: a stable code, a text for the operator, and what the host may conclude.

mod codes;

use serde_json::Value;

use crate::redact::Redactor;

pub use codes::ErrorCode;

/// What the host may do with a failed run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFamily {
    /// Likely to work when tried again.
    TransientUpstream,
    /// A limit of the model provider; works again after a known or unknown time.
    ProviderQuota,
    /// The model declined.
    ModelRefusal,
}

impl ErrorFamily {
    /// The host's name of the family.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransientUpstream => "transient_upstream",
            Self::ProviderQuota => "provider_quota",
            Self::ModelRefusal => "model_refusal",
        }
    }
}

/// A refusal before anything ran: nothing was started, nothing is left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, why, and what to do next. At most 2000 characters.
    pub message: String,
    /// Finer reason, for `resultJson.k8s.reason` (for example `k8s_image_unresolved`).
    pub reason: Option<&'static str>,
    /// Family, for a retry by the host.
    pub family: Option<ErrorFamily>,
    /// Seconds from now before which a retry is pointless.
    pub retry_after_seconds: Option<u32>,
    /// `errorMeta`, informative only.
    pub meta: Option<Value>,
}

impl Refusal {
    /// A refusal with a code and a message and nothing else.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), reason: None, family: None, retry_after_seconds: None, meta: None }
    }

    /// Adds the finer reason.
    #[must_use]
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Marks the refusal as worth a retry, optionally not before some seconds.
    #[must_use]
    pub fn transient(mut self, after_seconds: Option<u32>) -> Self {
        self.family = Some(ErrorFamily::TransientUpstream);
        self.retry_after_seconds = after_seconds;
        self
    }

    /// Without the values that the redactor knows. What makes a result of it shortens the message.
    #[must_use]
    pub fn redacted(&self, redactor: &Redactor) -> Self {
        Self { message: redactor.redact(&self.message).into_owned(), ..self.clone() }
    }

    /// Adds `errorMeta`.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = Some(meta);
        self
    }
}

/// What a panic without a text is taken for.
pub const UNKNOWN_PANIC: &str = "panic without a text";

/// An object of a run could not be turned into JSON, which all of them can.
#[must_use]
pub fn not_rendered(cause: &str) -> Refusal {
    defect(&format!("an object cannot be written: {cause}"))
}

/// The refusal for a defect of the adapter itself (HST-10).
#[must_use]
pub fn defect(text: &str) -> Refusal {
    let message = format!("A defect of the adapter ended this run: {text}; its Job, if any, was left alone. Report it");
    Refusal::new(ErrorCode::InternalError, message)
}

impl serde::Serialize for ErrorFamily {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
