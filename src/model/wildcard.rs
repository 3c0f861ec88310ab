//! Patterns in which `*` stands for any characters.

/// Whether a text fits a pattern in which `*` stands for any characters, `/` included.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a path, or a folder above it, fits such a pattern.
pub fn lies_in(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_matches('/');
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    !pattern.is_empty() && ends.into_iter().any(|end| fits(pattern, &path[..end]))
}

#[cfg(test)]
mod tests {
    use super::{fits, lies_in};

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, name, expected) in [
            ("wp_orders", "wp_orders", true),
            ("wp_orders", "wp_orders2", false),
            ("wp_wc_orders*", "wp_wc_orders_meta", true),
            ("*", "x", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_folder_has_all_that_is_in_it() {
        for (pattern, path, expected) in [
            ("content/cache", "content/cache", true),
            ("content/cache/", "content/cache/a/b.php", true),
            ("content/cache", "content/cache2/a", false),
            ("content/cache", "content", false),
            ("*.log", "a/b.log", true),
            ("*/cache", "a/b/cache/c", true),
            ("", "a", false),
        ] {
            assert_eq!(lies_in(pattern, path), expected, "{pattern} {path}");
        }
    }
}
