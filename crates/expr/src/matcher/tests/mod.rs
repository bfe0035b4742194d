mod bad;
mod chance;
mod json;
mod law;
mod live;
mod snapshot;
