//! One page over plain HTTP, from a server that nobody vouches for.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use crate::problem::Problem;

/// Kernels accept connections, however busy their machine: where it takes longer, nobody is there. A node that was just lost
/// would keep everybody waiting otherwise.
const CONNECT_PATIENCE: Duration = Duration::from_millis(300);

/// Waits in a thread that may wait, which a collector's is. The runtime is made for this alone: one that is kept ends with
/// its owner, and within another runtime that is a panic. What was begun and not waited for, such as a name that is looked
/// up, is left to itself.
///
/// # Errors
///
/// No runtime can be made: there are no descriptors left, for example.
pub fn waited<F: Future>(what: F) -> Result<F::Output, Problem> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::new("nothing can be asked over the network").because(error))?;
    let output = runtime.block_on(what);
    runtime.shutdown_background();
    Ok(output)
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Whom.
    pub address: SocketAddr,
    /// What it is called in the request.
    pub host: &'a str,
    /// With the query.
    pub path: &'a str,
    /// In which format.
    pub accept: &'a str,
}

/// The page's text, of at most so many bytes. The caller sets the deadline of the whole.
///
/// # Errors
///
/// Nobody listens, it is no HTTP, it does not say 200, or it says more than that.
pub async fn fetch(page: Page<'_>, bytes_max: usize) -> Result<String, Problem> {
    let failed = |what: &str| Problem::new(what.to_owned());
    let stream = tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(page.address))
        .await
        .map_err(|_| Problem::new(format!("not reached within {} ms", CONNECT_PATIENCE.as_millis())))?
        .map_err(|error| failed("not reached").because(error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed("no HTTP").because(error))?;
    let request = Request::get(page.path)
        .header(HOST, page.host)
        .header(ACCEPT, page.accept)
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed("no request").because(error))?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|error| failed("no HTTP").because(error))?;
        if answer.status() != StatusCode::OK {
            return Err(Problem::new(format!("it says {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        let body = body.map_err(|error| Problem::new(format!("the answer ends early or is too long: {error}")))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    // The connection has to be driven until the answer is there, and no longer.
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}
