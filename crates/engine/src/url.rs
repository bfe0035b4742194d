use crate::{Error, ErrorKind, Result};

/// A URL taken apart, with percent escapes undone where a part cannot be split further.
#[derive(Debug)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    /// What stands between `//` and the path, escapes kept.
    pub(crate) authority: String,
    /// With its leading slash.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// Whether an `@` stands in the path, unescaped.
    path_at: bool,
    /// Whether an `@` stands in the query, unescaped.
    query_at: bool,
}

/// A host and a port, each where given.
type Place = (Option<String>, Option<String>);

/// User and password, each where given, and the places.
type Authority = (Option<String>, Option<String>, Vec<Place>);

impl Url {
    /// The message of an error repeats no part of the URL that may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once("://") else {
            let hint = match url.rsplit_once('.') {
                Some((_, "db" | "db3" | "sqlite" | "sqlite3")) if !url.contains('@') => {
                    format!("the URL of that file is sqlite:///{url}")
                }
                _ if url == ":memory:" => "the URL of a database in memory is sqlite://".to_owned(),
                _ if url.contains("dbname=") || url.contains("host=") => {
                    "write postgresql://user@host/database in place of keywords".to_owned()
                }
                _ => "a URL starts with sqlite:// or postgresql://".to_owned(),
            };
            return Err(Error::new(ErrorKind::Config, "this is not a database URL").with_hint(hint));
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (path_at, query_at) = (path.contains('@'), query.contains('@'));
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((unescape(key)?, unescape(value)?))
        });
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            authority: authority.to_owned(),
            path: unescape(path)?,
            query: query.collect::<Result<_>>()?,
            path_at,
            query_at,
        })
    }

    /// Fails where a password seems to hold a `/` or `?`, as random ones do: what follows it would
    /// be taken for the database's name or an option, and printed. An `@` after one of them tells.
    pub(crate) fn check_password_ends(&self, known: &[&str]) -> Result<()> {
        let options_alone = self.authority.is_empty() || self.authority.contains('@');
        let mut options = self.query.iter().map(|(key, _)| key.as_str());
        let odd = self.path_at
            || self.query_at && !(options_alone && options.all(|key| known.contains(&key)));
        if odd {
            let message = "the URL has an @ behind a / or ?, so the password holds / or ?";
            return Err(Error::new(ErrorKind::Config, message).with_hint(
                "write %2F for / and %3F for ? in a password, and %40 for any other @",
            ));
        }
        Ok(())
    }

    /// `user:password@host:port`, every part optional, the host perhaps `[::1]`; several places have
    /// commas between.
    pub(crate) fn split_authority(&self) -> Result<Authority> {
        let (login, place) = match self.authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, self.authority.as_str()),
        };
        let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(unescape(user)?), Some(unescape(password)?)),
            Some(Err(user)) => (Some(unescape(user)?), None),
        };
        let given = |part: String| Some(part).filter(|part| !part.is_empty());
        let places = if place.is_empty() {
            Vec::new()
        } else {
            place.split(',').map(self::place).collect::<Result<_>>()?
        };
        Ok((user.and_then(given), password.and_then(given), places))
    }
}

/// `host:port`, `host`, `:port` or `[::1]:port`.
fn place(text: &str) -> Result<Place> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            let message = "the host opens with [ and never closes";
            return Err(Error::new(ErrorKind::Config, message));
        };
        (host, rest.strip_prefix(':'))
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    let given = |part: String| Some(part).filter(|part| !part.is_empty());
    Ok((given(unescape(host)?), port.map(str::to_owned).and_then(given)))
}

fn unescape(text: &str) -> Result<String> {
    let bad = || Error::new(ErrorKind::Config, "the URL has a broken % escape");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (hex, after) = after.split_at_checked(2).ok_or_else(bad)?;
            let hex = std::str::from_utf8(hex).map_err(|_| bad())?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(|_| bad())?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| bad())
}
