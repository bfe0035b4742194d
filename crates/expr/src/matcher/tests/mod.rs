mod bad;
mod chance;
mod dictionary;
mod json;
mod law;
mod live;
mod snapshot;
