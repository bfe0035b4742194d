use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::net::sockopt::{
    Timeout, set_socket_keepalive, set_socket_timeout, set_tcp_keepcnt, set_tcp_keepidle,
    set_tcp_keepintvl, set_tcp_nodelay, socket_error,
};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType};
use rustix::net::{connect, recv, send};

use super::tls::TlsStream;
use crate::config::{Address, PostgresConfig, TcpKeepalive, TlsMode};
use crate::{Control, Error, ErrorKind, Result, limits};

/// A connected stream socket. It is a blocking one whose receives wake up every
/// [`limits::TICK`], so that a blocked caller needs one system call per answer, not three; calls
/// that must not wait say so with a flag.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// Connects, giving up when `control` says so.
    fn connect(address: &Address, control: &Control<'_>) -> io::Result<Self> {
        let fd: OwnedFd = match address {
            Address::Unix(directory, port) => {
                connect_unix(&directory.join(format!(".s.PGSQL.{port}")), control)?
            }
            Address::Tcp(host, port) => connect_tcp(host, *port, control)?,
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

/// How long to wait at once, while a connection is made; an error once its caller gave up.
pub(super) fn tick(control: &Control<'_>) -> io::Result<Duration> {
    control.check().map_err(io::Error::other)?;
    Ok(control.wait(limits::TICK))
}

/// Whether the caller gave up.
fn is_given_up(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<Error>())
}

/// A Unix socket's connect has no time limit of its own: it waits for ever where the listener's
/// queue is full. Without waiting that is an error, and the next tick tries again.
fn connect_unix(path: &Path, control: &Control<'_>) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket = stream_socket(AddressFamily::UNIX)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    while let Err(error) = connect(&socket, &address).map_err(io::Error::from) {
        if !is_not_yet(&error) {
            return Err(error);
        }
        thread::sleep(tick(control)?);
    }
    rustix::io::ioctl_fionbio(&socket, false)?;
    Ok(socket)
}

/// A socket that programs started later do not inherit.
#[cfg(not(target_vendor = "apple"))]
fn stream_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = rustix::net::SocketFlags::CLOEXEC;
    Ok(rustix::net::socket_with(family, SocketType::STREAM, flags, None)?)
}

/// A socket that programs started later do not inherit.
#[cfg(target_vendor = "apple")]
fn stream_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::net::sockopt::set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

/// Connects to the first of the host's addresses that answers.
fn connect_tcp(host: &str, port: u16, control: &Control<'_>) -> io::Result<OwnedFd> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match connect_to(address, control) {
            Err(error) if !is_given_up(&error) => last = error,
            done => return done,
        }
    }
    Err(last)
}

fn connect_to(address: SocketAddr, control: &Control<'_>) -> io::Result<OwnedFd> {
    let is_v4 = address.is_ipv4();
    let socket = stream_socket(if is_v4 { AddressFamily::INET } else { AddressFamily::INET6 })?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => {
            let mut answered = 0;
            while answered == 0 {
                let wait = Timespec::try_from(tick(control)?).ok();
                let ends = &mut [PollFd::new(&socket, PollFlags::OUT)];
                answered = match poll(ends, wait.as_ref()) {
                    Err(Errno::INTR) => 0,
                    answered => answered?,
                };
            }
            socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    rustix::io::ioctl_fionbio(&socket, false)?;
    set_tcp_nodelay(&socket, true)?;
    Ok(socket)
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
        control: &Control<'_>,
    ) -> Result<Self> {
        let socket = Socket::connect(address, control)
            .map_err(|error| unreachable_server(address, error))?;
        if matches!(address, Address::Tcp(..)) {
            socket.keep_alive(&config.keepalive).map_err(|error| {
                let message = format!("the keepalives of {address} cannot be set: {error}");
                Error::new(ErrorKind::Config, message)
            })?;
        }
        // A Unix socket never leaves the machine; libpq does not encrypt it either.
        let mut plain = Self::Plain(socket);
        if config.tls == TlsMode::Disable || matches!(address, Address::Unix(..)) {
            return Ok(plain);
        }
        let mut answer = [0];
        let received = plain
            .exchange(&rowmill_wire::ssl_request(), &mut answer, control)
            .map_err(|error| unreachable_server(address, error))?;
        match (received, answer, plain) {
            (1, [b'S'], Self::Plain(socket)) => {
                TlsStream::handshake(socket, config, address, control).map(Self::Tls)
            }
            (1, [b'N'], plain) if config.tls == TlsMode::Prefer => Ok(plain),
            (1, [b'N'], _) => {
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

    /// Waits for one exchange: sends all of `bytes`, receives up to `answer.len()`.
    pub(crate) fn exchange(
        &mut self,
        bytes: &[u8],
        answer: &mut [u8],
        control: &Control<'_>,
    ) -> io::Result<usize> {
        let mut sent = 0;
        loop {
            let wait = tick(control)?;
            let is_sent = sent == bytes.len() && self.flush()?;
            let done = if is_sent {
                self.recv(answer, false).map(Some)
            } else {
                self.send(&bytes[sent..]).map(|more| {
                    sent += more;
                    None
                })
            };
            match done {
                Ok(Some(received)) => return Ok(received),
                Ok(None) => {}
                Err(error) if is_not_yet(&error) => {
                    // A signal ends the wait early: the loop waits on.
                    self.socket().wait(!is_sent, wait).or_else(ignore_not_yet)?;
                }
                Err(error) => return Err(error),
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
pub(crate) fn unreachable_server(address: &Address, error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(given_up) if given_up.kind() == ErrorKind::Cancelled => return given_up,
        Ok(_) => io::ErrorKind::TimedOut.into(),
        Err(error) => error,
    };
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
