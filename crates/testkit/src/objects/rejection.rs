//! Error answers, shaped as the API server shapes them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::objects::resource::Resource;

/// A `Status` of failure. `retry_after` becomes the header of that name.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// Boxed to keep the error path small.
    pub(crate) details: Box<Value>,
    pub(crate) retry_after: Option<Duration>,
}

impl Rejection {
    pub(crate) fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: reason.to_owned(), message: message.into(), details: Box::default(), retry_after: None }
    }

    /// The answer for a code that nothing more is known about.
    pub(crate) fn of_code(code: u16, message: Option<&str>) -> Self {
        let (reason, default) = match code {
            400 => ("BadRequest", "the server rejected our request"),
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", "forbidden"),
            404 => ("NotFound", "the server could not find the requested resource"),
            405 => ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
            409 => ("Conflict", "the server reported a conflict"),
            410 => ("Expired", "The provided continue parameter or resource version is too old"),
            422 => ("Invalid", "the server rejected our request due to an error in our request"),
            429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
            500 => ("InternalError", "Internal error occurred: injected"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted duration"),
            _ => ("Unknown", "the server reported an error"),
        };
        Self::new(code, reason, message.unwrap_or(default))
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn not_found(resource: Resource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", resource.qualified())).about(resource, name)
    }

    pub(crate) fn already_exists(resource: Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    pub(crate) fn conflict(resource: Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::new(409, "Conflict", message).about(resource, name)
    }

    pub(crate) fn forbidden(resource: Resource, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        Self::new(403, "Forbidden", message).about(resource, name)
    }

    /// 422 with one cause, as field validation reports it.
    pub(crate) fn invalid(resource: Resource, name: &str, field: &str, why: &str) -> Self {
        let group = if resource.group().is_empty() { String::new() } else { format!(".{}", resource.group()) };
        let kind = resource.kind();
        let message = format!("{kind}{group} \"{name}\" is invalid: {field}: {why}");
        let mut rejection = Self::new(422, "Invalid", message);
        rejection.details = Box::new(json!({
            "name": name, "group": resource.group(), "kind": kind,
            "causes": [{"reason": "FieldValueInvalid", "message": why, "field": field}],
        }));
        rejection
    }

    fn about(mut self, resource: Resource, name: &str) -> Self {
        let mut details = json!({"name": name, "kind": resource.plural()});
        if !resource.group().is_empty() {
            details["group"] = resource.group().into();
        }
        self.details = Box::new(details);
        self
    }

    pub(crate) fn body(&self) -> Value {
        let mut details = Value::clone(&self.details);
        if let Some(after) = self.retry_after {
            if details.is_null() {
                details = json!({});
            }
            details["retryAfterSeconds"] = after.as_secs().into();
        }
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if !details.is_null() {
            body["details"] = details;
        }
        body["code"] = self.code.into();
        body
    }
}
