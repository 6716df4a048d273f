//! The agent's pages over HTTP: `/metrics`, `/healthz`, `/api/v1/snapshot`, `/api/v1/usage`.
//!
//! Connections are few and short: their number, the size of a request and the time for it are bounded.

mod answer;
mod body;
mod guard;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::conductor::Conductor;
use crate::events::Events;
use crate::live::Live;

pub use answer::{Answer, Part};
pub use body::Body;
pub use guard::{Guard, is_private};

/// More than the scrapers of a node; beyond it a connection waits.
const CONNECTIONS_MAX: usize = 64;

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
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors are left, or the client went away: a moment later it may work.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
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
            drop(place);
        });
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
