//! The files that libpq reads beside the URL: services and passwords.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Address, bad, variable};
use crate::Result;

/// A file in the home directory.
pub(super) fn at_home(name: &str) -> Option<PathBuf> {
    variable("HOME").map(|home| Path::new(&home).join(name))
}

/// The options of a service, of those that are `known`.
pub(super) fn service(name: &str, known: &[&str]) -> Result<Vec<(String, String)>> {
    let system = variable("PGSYSCONFDIR").map(|place| Path::new(&place).join("pg_service.conf"));
    let own = variable("PGSERVICEFILE").map(PathBuf::from).or_else(|| at_home(".pg_service.conf"));
    for file in [own, system].into_iter().flatten() {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let Some(lines) = section(&text, name) else { continue };
        let mut options = Vec::new();
        for line in lines {
            let Some((key, value)) = line.split_once('=') else {
                let message = format!("{}: {line:?} is no option", file.display());
                return Err(bad(message));
            };
            let (key, value) = (key.trim(), value.trim());
            if !known.contains(&key) || key == "service" {
                let message = format!("{}: {key:?} is not an option that is known", file.display());
                return Err(bad(message).with_hint(format!("known: {}", known.join(", "))));
            }
            options.push((key.to_owned(), value.to_owned()));
        }
        return Ok(options);
    }
    Err(bad(format!("there is no service {name:?}"))
        .with_hint("services are in ~/.pg_service.conf, or in the file that PGSERVICEFILE names"))
}

fn section<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut lines = lines.skip_while(|line| {
        line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) != Some(name)
    });
    lines.next()?;
    Some(lines.take_while(|line| !line.starts_with('[')).collect())
}

/// The password of the first line that fits. A file that others may read is passed over, as by libpq.
pub(crate) fn password(
    file: &Path,
    address: &Address,
    database: &str,
    user: &str,
) -> Option<String> {
    if is_open_to_others(file) {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let (host, port) = match address {
        Address::Tcp(host, port) => (host.clone(), port.to_string()),
        // libpq asks for a socket by this name.
        Address::Unix(_, port) => ("localhost".to_owned(), port.to_string()),
    };
    let wanted = [host.as_str(), port.as_str(), database, user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let parts = parts(line);
        let [fields @ .., password] = &parts[..] else { return None };
        let fits = fields.len() == wanted.len()
            && fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| password.clone())
    })
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

/// Five fields with colons between; a backslash takes what follows as it is.
fn parts(line: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let is_end = character == ':' && parts.len() < 5;
        let taken = if character == '\\' { characters.next() } else { Some(character) };
        match (taken, parts.last_mut()) {
            _ if is_end => parts.push(String::new()),
            (Some(character), Some(part)) => part.push(character),
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_password_file_has_five_fields() {
        assert_eq!(parts("a:1:b:c:d"), ["a", "1", "b", "c", "d"]);
        assert_eq!(parts(r"a\:b:*:*:*:x\\y:z"), ["a:b", "*", "*", "*", r"x\y:z"]);
        assert_eq!(parts(""), [""]);
    }

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let text = "# services\n[one]\nhost=a\n\n port = 1\n[two]\nhost=b";
        assert_eq!(section(text, "one"), Some(vec!["host=a", "port = 1"]));
        assert_eq!(section(text, "two"), Some(vec!["host=b"]));
        assert_eq!(section(text, "three"), None);
    }
}
