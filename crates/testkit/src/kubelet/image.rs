//! Image names.

/// A reference that the runtime can parse.
pub(super) fn is_valid_name(image: &str) -> bool {
    let path = image.split('@').next().unwrap_or_default();
    let (repository, tag) = match path.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (path, "latest"),
    };
    let part = |part: &str| {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-:".contains(c);
        !part.is_empty() && part.chars().all(allowed) && part.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let tag_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    repository.split('/').all(part) && (1..=128).contains(&tag.len()) && tag.chars().all(tag_part)
}

#[cfg(test)]
mod tests {
    use super::is_valid_name;

    #[test]
    fn image_names_are_checked_like_references() {
        for good in ["claude:1.0", "ghcr.io/org/claude", "localhost:5000/a/b:V1", "a@sha256:abc"] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in ["", "Claude:1", "a b", "a//b", "a:", "-a"] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }
}
