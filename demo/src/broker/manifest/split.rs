//! A file into its YAML documents.

/// The documents of a file, each with the lines before it left empty, so that errors name the
/// lines of the file. `---` at the beginning of a line separates documents wherever it stands
/// (YAML 1.2, section 9.1.2).
pub(super) fn documents(text: &str) -> Vec<String> {
    let mut documents = Vec::new();
    let mut current = String::new();
    for (number, line) in text.lines().enumerate() {
        let marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if marker {
            documents.push(std::mem::replace(&mut current, "\n".repeat(number)));
        }
        current.push_str(line);
        current.push('\n');
    }
    documents.push(current);
    documents.retain(|document| {
        document
            .lines()
            .any(|line| !matches!(line.trim(), "" | "---") && !line.trim_start().starts_with('#'))
    });
    documents
}
