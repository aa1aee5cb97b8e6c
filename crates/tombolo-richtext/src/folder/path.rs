//! Paths inside a folder: relative, `/` between the parts, never leading out.

/// Names of files that stand for the folder they lie in.
const FOLDER_FILES: [&str; 4] = ["index.md", "readme.md", "index.markdown", "readme.markdown"];

/// Device names that Windows keeps for itself.
const RESERVED: [&str; 7] = ["con", "prn", "aux", "nul", "com1", "lpt1", "summary"];

/// The longest file name made from a title, in characters.
const SLUG_MAX: usize = 60;

/// A path as written in a file of the directory `base`, from the root of the folder. None where it leads out, is
/// absolute or an address, or names no file.
pub(super) fn resolve(base: &str, written: &str) -> Option<String> {
    let drive = written.as_bytes().get(1) == Some(&b':');
    if written.starts_with('/') || written.contains(['\\', '\0', '\n']) || written.contains("://") || drive {
        return None;
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!written.ends_with('/') && !parts.is_empty()).then(|| parts.join("/"))
}

/// Whether an export may write to this path: Markdown, inside the folder, nothing hidden.
pub(super) fn is_writable(path: &str) -> bool {
    let name = file_name(path).to_lowercase();
    resolve("", path).as_deref() == Some(path)
        && (name.ends_with(".md") || name.ends_with(".markdown"))
        && path
            .split('/')
            .all(|part| !part.starts_with('.') && !part.ends_with([' ', '.']) && part.len() <= 255)
}

/// The last part.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Everything before the last part, without the slash.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The name a page has without a title of its own: the file's without its ending, or its folder's.
pub(super) fn stem(path: &str) -> &str {
    let path = if is_folder_file(path) { directory(path) } else { path.trim_end_matches('/') };
    let name = file_name(path);
    name.strip_suffix(".md").or_else(|| name.strip_suffix(".markdown")).unwrap_or(name)
}

/// Whether the file is its folder's own page.
pub(super) fn is_folder_file(path: &str) -> bool {
    path.contains('/') && FOLDER_FILES.contains(&file_name(path).to_lowercase().as_str())
}

/// The path by which a page stands in its parent's directory: its file, or the folder whose page it is.
pub(super) fn place(path: &str) -> String {
    if is_folder_file(path) { directory(path).to_owned() } else { path.trim_end_matches('/').to_owned() }
}

/// The directory of a page's children.
pub(super) fn inner(path: &str) -> String {
    let place = place(path);
    let cut = place.strip_suffix(".md").or_else(|| place.strip_suffix(".markdown"));
    cut.map(str::to_owned).unwrap_or(place)
}

/// Joins a directory (`""`: the root) and a name.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// A file name without ending, made from a title.
pub(super) fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.chars().take(SLUG_MAX).collect();
    let slug = slug.trim_end_matches('-');
    match slug {
        "" => "page".to_owned(),
        name if RESERVED.contains(&name) => format!("{name}-page"),
        name => name.to_owned(),
    }
}

/// A link destination's `%20` and the like as the characters they stand for.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A path as a link destination.
pub(super) fn percent_encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            ' ' => out.push_str("%20"),
            '%' => out.push_str("%25"),
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_inside_the_folder_or_not_at_all() {
        let cases = [
            ("", "a.md", Some("a.md")),
            ("", "./a//b.md", Some("a/b.md")),
            ("src", "../a.md", Some("a.md")),
            ("src/x", "../../a.md", Some("a.md")),
            ("", "../a.md", None),
            ("a", "../../a.md", None),
            ("", "/etc/passwd", None),
            ("", "C:/a.md", None),
            ("", "a\\..\\..\\b.md", None),
            ("", "https://a.b/c.md", None),
            ("", "", None),
            ("", "..", None),
            ("", "a/", None),
        ];
        for (base, written, wanted) in cases {
            assert_eq!(resolve(base, written).as_deref(), wanted, "{base:?} {written:?}");
        }
    }

    #[test]
    fn exports_write_markdown_in_sight_only() {
        for path in ["a.md", "a/b c.md", "é.markdown", "README.md"] {
            assert!(is_writable(path), "{path}");
        }
        for path in
            ["", "../a.md", "/a.md", ".git/a.md", "a/.b.md", "a.sh", ".md", "a /b.md", "a./b.md", "a//b.md"]
        {
            assert!(!is_writable(path), "{path}");
        }
    }

    #[test]
    fn titles_become_file_names() {
        let cases =
            [("Hello, World!", "hello-world"), ("  ", "page"), ("CON", "con-page"), ("Über uns", "über-uns")];
        for (title, wanted) in cases {
            assert_eq!(slug(title), wanted);
        }
        assert!(slug(&"x".repeat(500)).len() <= SLUG_MAX);
    }

    #[test]
    fn percent_codes_are_read_and_written() {
        assert_eq!(percent_decode("a%20b%2"), "a b%2");
        assert_eq!(percent_decode("%ff"), "%ff");
        assert_eq!(percent_decode(&percent_encode("a (1) 100%.md")), "a (1) 100%.md");
    }
}
