use crate::config::{Address, SourceConfig, TlsMode};
use crate::{Arguments, Config, Database, ErrorKind, Orient, Scalar};

fn postgres(url: &str) -> crate::PostgresConfig {
    match Config::parse(url).unwrap().source {
        SourceConfig::Postgres(config) => *config,
        SourceConfig::Sqlite { .. } => panic!("{url} is PostgreSQL's"),
    }
}

#[test]
fn a_postgresql_url_is_taken_apart() {
    let config =
        postgres("postgresql://ann:p%40ss%3Aword@db.example:5433/shop?sslmode=verify-full");
    assert_eq!(config.addresses, [Address::Tcp("db.example".into(), 5433)]);
    assert_eq!((config.user.as_str(), config.database.as_str()), ("ann", "shop"));
    assert_eq!(config.password.as_deref(), Some("p@ss:word"));
    assert_eq!(config.tls, TlsMode::VerifyFull);
    assert_eq!(config.to_string(), "postgresql://ann@db.example:5433/shop");
}

#[test]
fn a_socket_directory_is_a_host() {
    let by_query = postgres("postgresql://u@/d?host=/run/pg&port=6000");
    assert_eq!(by_query.addresses, [Address::Unix("/run/pg".into(), 6000)]);
    let by_authority = postgres("postgresql://u@%2Frun%2Fpg:6000/d");
    assert_eq!(by_authority.addresses, by_query.addresses);
    let loopback = postgres("postgresql://u@[::1]:7/d");
    assert_eq!(loopback.addresses, [Address::Tcp("::1".into(), 7)]);
}

#[test]
fn several_places_are_named_in_the_authority_or_by_host() {
    let tcp = |host: &str, port| Address::Tcp(host.into(), port);
    let by_authority = postgres("postgresql://u@a:1,b,[::1]:3/d");
    assert_eq!(by_authority.addresses, [tcp("a", 1), tcp("b", 5432), tcp("::1", 3)]);
    let by_query = postgres("postgresql://u@/d?host=a,/run/pg&port=1,2");
    assert_eq!(by_query.addresses, [tcp("a", 1), Address::Unix("/run/pg".into(), 2)]);
    let one_port = postgres("postgresql://u@/d?host=a,b&port=7");
    assert_eq!(one_port.addresses, [tcp("a", 7), tcp("b", 7)]);
    assert_eq!(one_port.to_string(), "postgresql://u@a:7,b:7/d");
}

#[test]
fn an_sqlite_url_has_three_slashes_or_four() {
    let path = |url: &str| match Config::parse(url).unwrap().source {
        SourceConfig::Sqlite { path, .. } => path.map(|path| path.display().to_string()),
        SourceConfig::Postgres(_) => panic!("{url} is SQLite's"),
    };
    assert_eq!(path("sqlite:///app.db").as_deref(), Some("app.db"));
    assert_eq!(path("sqlite:////var/app%20a.db").as_deref(), Some("/var/app a.db"));
    assert_eq!(path("sqlite://"), None);
    assert_eq!(path("sqlite:///:memory:"), None);
}

#[test]
fn a_wrong_url_says_what_is_wrong_and_never_the_password() {
    for (url, word) in [
        ("nonsense", "not a database URL"),
        ("mysql://root:hunter2@h/d", "mysql://"),
        ("sqlite://app.db", "names a host"),
        ("sqlite:///a.db?mode=fast", "mode=fast"),
        ("postgresql://u:hunter2@h:99999/d", "99999"),
        ("postgresql://u:hunter2@h/d?sslmode=maybe", "sslmode=maybe"),
        ("postgresql://u:hunter2@h/d?sslmod=require", "sslmod"),
        ("postgresql://u:hunter2@h/d?connect_timeout=soon", "connect_timeout=soon"),
        ("postgresql://u:hunter2%zz@h/d", "escape"),
        ("postgresql://u:hunter2@[::1/d", "never closes"),
        ("postgresql://u:hunter2@/d?host=a,b,c&port=1,2", "3 hosts and 2 ports"),
        ("postgresql://u:hunter2@/d?host=a,,c", "between two commas"),
        ("postgresql://u:hunter2@h/d?target_session_attrs=fast", "target_session_attrs=fast"),
        ("postgresql://u:hunter2@h/d?sslcert=/x.crt", "sslkey"),
        ("postgresql://u:hunter2@h/d?service=nowhere", "no service \"nowhere\""),
    ] {
        let error = Config::parse(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(error.to_string().contains(word), "{url}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{url}: {error:?}");
    }
}

#[test]
fn a_password_with_an_unescaped_slash_is_never_taken_for_something_else() {
    for url in [
        "postgresql://u:12/hunter2@h/d",
        "postgresql://u:12?hunter2@h/d",
        "postgresql://u:pa/hunter2@h",
        "postgresql://u:p@ss/hunter2@h/d",
        "postgresql://u:p@ss?hunter2@h/d",
        "postgresql://u:hunter2",
        "postgresql://u@h/d?hunter2",
        "sqlite://u:hunter2@h/x",
        "sqlite:///a.db?key=hunter2",
    ] {
        let error = Config::parse(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(!format!("{error:?}").contains("hunter2"), "{url}: {error:?}");
    }
    let named = postgres("postgresql://u:hunter2@h/d?application_name=me@here");
    assert_eq!(named.parameters[0].1, "me@here");
}

#[test]
fn certificates_are_checked_against_something_or_the_mode_is_refused() {
    let system = postgres("postgresql://u@h/d?sslrootcert=system");
    assert_eq!((system.tls, system.root_certificates), (TlsMode::VerifyFull, None));
    let own = postgres("postgresql://u@h/d?sslmode=verify-ca&sslrootcert=ca.pem");
    assert_eq!(own.root_certificates, Some("ca.pem".into()));
    for (options, word) in [
        ("sslmode=verify-ca", "needs sslrootcert"),
        ("sslmode=require&sslrootcert=system", "too weak"),
        ("sslmode=verify-ca&sslrootcert=system", "too weak"),
    ] {
        let error = Config::parse(&format!("postgresql://u@h/d?{options}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(word), "{options}: {error}");
    }
}

#[test]
fn arguments_fit_or_say_why_not() {
    let db = Database::open("sqlite://").unwrap();
    let message = |sql: &str, arguments: Arguments| {
        db.query(sql).bind_all(arguments).fetch().unwrap_err().to_string()
    };
    let two = || Arguments::Positional(vec![Scalar::Int(1), Scalar::Int(2)]);
    assert_eq!(message("select $1", two()), "the statement takes 1 parameter ($1), 2 given");
    assert!(message("select :a, :b", two()).contains("by name (:a, :b), 2 given by position"));
    let named = Arguments::Named(vec![("c".into(), Scalar::Null)]);
    assert!(message("select :a", named).contains("no parameter :c; it takes :a"));
}

#[test]
fn an_error_speaks_of_the_sql_as_it_was_written() {
    let db = Database::open("sqlite://").unwrap();
    let sql = "select :größe, wrong from (select 1)";
    let error = db.query(sql).bind_named("größe", 1).fetch().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Programming);
    assert_eq!(error.query(), Some(sql));
    let place = sql.chars().position(|c| c == 'w').map(|at| at + 1);
    assert_eq!(error.position(), place);
}

#[test]
fn rows_come_as_values_and_as_json() {
    let db = Database::open("sqlite://").unwrap();
    let sql = "select 1 as a, 'x' as b union all select 2, null";
    let row = db.query(sql).fetch_one().unwrap().unwrap();
    assert_eq!(row.scalar(0).unwrap(), Scalar::Int(1));
    assert_eq!(row.get("b").unwrap().to_string(), "x");
    assert!(row.get("c").is_none());
    let json = db.query(sql).fetch_json(Orient::Columns).unwrap();
    assert_eq!(json, br#"{"a":[1,2],"b":["x",null]}"#);
    assert_eq!(db.query("select 1 where 0").fetch_value().unwrap(), Scalar::Null);
}

#[test]
fn a_closed_database_says_so() {
    let db = Database::open("sqlite://").unwrap();
    db.close();
    let error = db.query("select 1").fetch().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(db.is_closed());
}
