/// What stands before the first word of `sql`, white space and comments, taken off; `None` where a
/// comment stands within a comment, for it would end early, and what is taken for the first word is not.
pub(crate) fn start(sql: &str) -> Option<&str> {
    let mut rest = sql.trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start()
        } else if let Some(comment) = rest.strip_prefix("/*") {
            match comment.split_once("*/") {
                Some((comment, _)) if comment.contains("/*") => return None,
                Some((_, rest)) => rest.trim_start(),
                None => "",
            }
        } else {
            return Some(rest);
        };
    }
}
