//! placeholder

pub mod pod_template;
