//! Integration tests.

#[cfg(test)]
mod config_defaults;
#[cfg(test)]
mod config_docs;
#[cfg(test)]
mod config_keys;
#[cfg(test)]
mod config_properties;
#[cfg(test)]
mod config_rejections;
#[cfg(test)]
mod config_reserved;
#[cfg(test)]
mod config_shapes;
