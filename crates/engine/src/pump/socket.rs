use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::net::sockopt::{
    Timeout, set_socket_keepalive, set_socket_timeout, set_tcp_keepcnt, set_tcp_keepidle,
    set_tcp_keepintvl,
};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType};
use rustix::net::{connect, recv, send};

use super::tls::TlsStream;
use crate::config::{Address, PostgresConfig, TcpKeepalive, TlsMode};
use crate::{Error, ErrorKind, Result, limits};

/// A connected stream socket. It is a blocking one whose receives wake up every
/// [`limits::TICK`], so that a blocked caller needs one system call per answer, not three; calls
/// that must not wait say so with a flag.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// Connects, giving up at `deadline`.
    pub(crate) fn connect(address: &Address, deadline: Instant) -> io::Result<Self> {
        let fd: OwnedFd = match address {
            Address::Unix(directory, port) => {
                connect_unix(&directory.join(format!(".s.PGSQL.{port}")), deadline)?
            }
            Address::Tcp(host, port) => connect_tcp(host, *port, deadline)?.into(),
        };
        set_socket_timeout(&fd, Timeout::Recv, Some(limits::TICK))?;
        Ok(Self(fd))
    }

    /// Has the system notice that the other side is gone.
    fn keep_alive(&self, keepalive: &TcpKeepalive) -> io::Result<()> {
        set_socket_keepalive(&self.0, keepalive.enabled)?;
        if let Some(idle) = keepalive.idle {
            set_tcp_keepidle(&self.0, idle)?;
        }
        if let Some(interval) = keepalive.interval {
            set_tcp_keepintvl(&self.0, interval)?;
        }
        if let Some(count) = keepalive.count {
            set_tcp_keepcnt(&self.0, count)?;
        }
        #[cfg(target_os = "linux")]
        if let Some(timeout) = keepalive.user_timeout {
            let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
            set_tcp_user_timeout(&self.0, milliseconds)?;
        }
        Ok(())
    }

    /// Receives some bytes; 0 is the end. `WouldBlock` where nothing came: at once, or with `wait`
    /// after a tick.
    pub(crate) fn recv(&self, buffer: &mut [u8], wait: bool) -> io::Result<usize> {
        let flags = if wait { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        recv(&self.0, buffer, flags).map(|(_, received)| received).map_err(io::Error::from)
    }

    /// Makes receives wait again: an event loop that watched the socket may have told it not to, and
    /// a blocked caller would spin.
    pub(crate) fn set_blocking(&self) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&self.0, false).map_err(io::Error::from)
    }

    /// Sends some bytes without waiting.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT;
        #[cfg(not(target_vendor = "apple"))]
        let flags = flags | SendFlags::NOSIGNAL;
        send(&self.0, bytes, flags).map_err(io::Error::from)
    }

    /// Waits until the socket can be read (or written, with `write`), for `timeout` at most.
    pub(crate) fn wait(&self, write: bool, timeout: Duration) -> io::Result<()> {
        let flags = if write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let timeout = Timespec::try_from(timeout).ok();
        match poll(&mut [PollFd::new(&self.0, flags)], timeout.as_ref()) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for one exchange during set-up: sends all of `bytes`, receives up to `answer.len()`.
    pub(crate) fn exchange(
        &self,
        bytes: &[u8],
        answer: &mut [u8],
        deadline: Instant,
    ) -> io::Result<usize> {
        let mut sent = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let done = if sent < bytes.len() {
                self.send(&bytes[sent..]).map(|more| {
                    sent += more;
                    None
                })
            } else {
                self.recv(answer, false).map(Some)
            };
            match done {
                Ok(Some(received)) => return Ok(received),
                Ok(None) => {}
                Err(error) if is_not_yet(&error) => {
                    // A signal ends the wait early: the loop waits on.
                    self.wait(sent < bytes.len(), left).or_else(ignore_not_yet)?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// True for errors that mean "nothing yet", not "broken".
pub(crate) fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

pub(crate) fn ignore_not_yet(error: io::Error) -> io::Result<()> {
    if is_not_yet(&error) { Ok(()) } else { Err(error) }
}

/// A Unix socket's connect has no time limit of its own: it waits for ever where the listener's
/// queue is full. Without waiting that is an error, and the next tick tries again.
fn connect_unix(path: &Path, deadline: Instant) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket = unix_socket()?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    while let Err(error) = connect(&socket, &address).map_err(io::Error::from) {
        if !is_not_yet(&error) {
            return Err(error);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(left.min(limits::TICK));
    }
    rustix::io::ioctl_fionbio(&socket, false)?;
    Ok(socket)
}

/// A socket that programs started later do not inherit.
#[cfg(not(target_vendor = "apple"))]
fn unix_socket() -> io::Result<OwnedFd> {
    let flags = rustix::net::SocketFlags::CLOEXEC;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// A socket that programs started later do not inherit.
#[cfg(target_vendor = "apple")]
fn unix_socket() -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::net::sockopt::set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

fn connect_tcp(host: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A socket, plain or inside TLS.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Transport {
    /// Connects and, where the configuration and the server want it, encrypts.
    pub(crate) fn open(
        config: &PostgresConfig,
        address: &Address,
        deadline: Instant,
    ) -> Result<Self> {
        let socket = Socket::connect(address, deadline)
            .map_err(|error| unreachable_server(address, &error))?;
        if matches!(address, Address::Tcp(..)) {
            socket.keep_alive(&config.keepalive).map_err(|error| {
                let message = format!("the keepalives of {address} cannot be set: {error}");
                Error::new(ErrorKind::Config, message)
            })?;
        }
        // A Unix socket never leaves the machine; libpq does not encrypt it either.
        if config.tls == TlsMode::Disable || matches!(address, Address::Unix(..)) {
            return Ok(Self::Plain(socket));
        }
        let mut answer = [0];
        let received = socket
            .exchange(&rowmill_wire::ssl_request(), &mut answer, deadline)
            .map_err(|error| unreachable_server(address, &error))?;
        match (received, answer) {
            (1, [b'S']) => TlsStream::handshake(socket, config, address, deadline).map(Self::Tls),
            (1, [b'N']) if config.tls == TlsMode::Prefer => Ok(Self::Plain(socket)),
            (1, [b'N']) => {
                let message = format!("the server at {address} does not offer TLS");
                Err(Error::new(ErrorKind::Connect, message).with_hint(
                    "turn TLS on at the server, or use sslmode=disable on a network you trust",
                ))
            }
            _ => {
                let message = format!("what listens at {address} is not a PostgreSQL server");
                Err(Error::new(ErrorKind::Connect, message))
            }
        }
    }

    /// The server's certificate in DER, inside TLS.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.certificate(),
        }
    }

    /// As [`Socket::recv`].
    #[inline]
    pub(crate) fn recv(&mut self, buffer: &mut [u8], wait: bool) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.recv(buffer, wait),
            Self::Tls(stream) => stream.recv(buffer, wait),
        }
    }

    /// As [`Socket::send`].
    #[inline]
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.send(bytes),
            Self::Tls(stream) => stream.send(bytes),
        }
    }

    /// Sends what encryption holds back; true once nothing is left.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Tls(stream) => stream.flush(),
        }
    }

    pub(crate) fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        }
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.socket().0.as_raw_fd()
    }
}

/// The error of a server that cannot be reached.
pub(crate) fn unreachable_server(address: &Address, error: &io::Error) -> Error {
    let mut hint = "is the server running there and accepting connections?";
    let message = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            format!("no answer from {address} in time")
        }
        _ => format!("cannot connect to {address}: {error}"),
    };
    if message.contains("lookup address") {
        hint = "is the host's name right?";
    }
    Error::new(ErrorKind::Connect, message).with_hint(hint).nobody_there()
}
