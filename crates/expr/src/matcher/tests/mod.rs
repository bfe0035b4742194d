mod bad;
mod chance;
mod law;
