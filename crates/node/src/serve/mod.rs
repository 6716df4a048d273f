//! The agent's pages over HTTP: `/metrics`, `/healthz`, `/api/v1/snapshot`, `/api/v1/usage`.
//!
//! Connections are few and short: their number, the size of a request and the time for it are bounded.

mod answer;
mod body;
mod guard;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::conductor::Conductor;
use crate::events::Events;
use crate::live::Live;

pub use answer::{Answer, Part};
pub use body::Body;
pub use guard::{Guard, is_private};

/// More than the scrapers of a node; beyond it a connection waits.
const CONNECTIONS_MAX: usize = 64;

/// From one address; beyond it a connection is closed. Who lives on the node must not take all places of those who do not.
const PEER_CONNECTIONS_MAX: usize = 16;

/// For a client to take some of its answer.
const TAKING_PATIENCE: Duration = Duration::from_secs(10);

/// A request has a line and some headers.
const REQUEST_BYTES_MAX: usize = 16 << 10;

/// For a client to say what it wants.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);

/// A connection that is kept open between scrapes is closed after so long.
const CONNECTION_AGE_MAX: Duration = Duration::from_mins(10);

/// What is given out at one address.
pub struct Site {
    /// Where the values come from.
    pub conductor: Arc<Conductor>,
    /// What was noticed.
    pub events: Events,
    /// What the node does now.
    pub live: Arc<Live>,
    /// Who may ask.
    pub guard: Arc<Guard>,
    /// Which metrics this address gives out.
    pub part: Part,
    /// Values younger than this are given out again; older ones are collected first.
    pub fresh_for: Duration,
}

/// An address to listen at.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers until the process ends.
pub async fn serve(listener: TcpListener, site: Arc<Site>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let seats = Seats::default();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            // No descriptors are left, or the client went away: a moment later it may work.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Some(seat) = Seat::take(&seats, peer.ip()) else { continue };
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(TAKING_PATIENCE));
        let stream = Box::pin(stream);
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            match site.guard.tls().cloned() {
                None => converse(stream, &site).await,
                Some(tls) => {
                    let handshake = tokio::time::timeout(REQUEST_PATIENCE, tls.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        converse(stream, &site).await;
                    }
                }
            }
            drop((place, seat));
        });
    }
}

/// How many connections each address has.
type Seats = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One connection of an address; given back when it is dropped.
struct Seat {
    seats: Seats,
    peer: IpAddr,
}

impl Seat {
    fn take(seats: &Seats, peer: IpAddr) -> Option<Self> {
        let mut taken = seats.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(peer).or_default();
        if *count >= PEER_CONNECTIONS_MAX {
            return None;
        }
        *count += 1;
        Some(Self { seats: Arc::clone(seats), peer })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send, site: &Site) {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(answer::answer(site, &request).await) });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_PATIENCE)
        .max_buf_size(REQUEST_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let _ = tokio::time::timeout(CONNECTION_AGE_MAX, connection).await;
}
