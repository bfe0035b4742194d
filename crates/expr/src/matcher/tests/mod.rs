mod bad;
mod chance;
mod law;
mod live;
mod snapshot;
