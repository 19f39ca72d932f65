//! One home server of a few lines: it answers what the test's closure says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use homing::dns::Table;
use homing::{AccountConfig, Aor, Resolver, Roots, Transport, UserAgent};
use homing_net::{FlowEvent, Listener, NetConfig, Sockets, TlsServer};
use homing_wire::{Builder, Frame, Message, Name};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// A server for `network.com` under the name `hs1.network.com`.
pub(crate) struct Registrar {
    pub(crate) address: SocketAddr,
    pub(crate) roots: Roots,
    pub(crate) pem: String,
    /// Every request, in order.
    pub(crate) requests: mpsc::UnboundedReceiver<Message>,
    task: AbortHandle,
    _listener: Arc<Mutex<Listener>>,
}

impl Registrar {
    /// Starts one whose certificate names `host`.
    pub(crate) fn start(
        host: &str,
        mut answer: impl FnMut(&Message) -> Option<Builder> + Send + 'static,
    ) -> Self {
        Self::with_cuts(host, move |request| answer(request).map(|reply| (reply.finish(), false)))
    }

    /// Starts one that may break the connection off after what it answered.
    pub(crate) fn with_cuts(
        host: &str,
        mut answer: impl FnMut(&Message) -> Option<(Bytes, bool)> + Send + 'static,
    ) -> Self {
        let signed = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let (pem, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
        let mut sockets = Sockets::new(NetConfig::default());
        let tls = TlsServer::from_pem(&pem, &key).unwrap();
        let listener = sockets.listen(([127, 0, 0, 1], 0).into(), Transport::Tls, Some(tls)).unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        let address = listener.local_addr();
        let task = tokio::spawn(async move {
            loop {
                let FlowEvent::Received { flow, frame } = sockets.next().await else { continue };
                match frame {
                    Frame::Message(bytes) => {
                        let request = Message::parse(bytes).unwrap();
                        if let Some((reply, last)) = answer(&request) {
                            sockets.send(flow, reply);
                            if last {
                                sockets.close(flow);
                            }
                        }
                        let _ = sender.send(request);
                    }
                    Frame::Ping => sockets.send(flow, "\r\n".into()),
                    Frame::Pong | Frame::Stun(_) => {}
                }
            }
        });
        let roots = Roots::pem(&pem).unwrap();
        let _listener = Arc::new(Mutex::new(listener));
        Self { address, roots, pem, requests, task: task.abort_handle(), _listener }
    }

    /// A user agent that finds this server by DNS and trusts its certificate.
    pub(crate) fn user_agent(&self) -> UserAgent {
        let table = Table::default()
            .srv("_sipinternaltls._tcp.network.com", "hs1.network.com", self.address.port())
            .address("hs1.network.com", [127, 0, 0, 1]);
        let resolver = Resolver::custom(Arc::new(table));
        UserAgent::builder().resolver(resolver).roots(self.roots.clone()).build().unwrap()
    }

    /// The next request of this method.
    pub(crate) async fn request(&mut self, method: &str) -> Message {
        let wanted = async {
            loop {
                let request = self.requests.recv().await.expect("the registrar lives");
                if request.method().is_some_and(|found| found.as_str() == method) {
                    return request;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wanted).await.expect("a request within the test's patience")
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Says yes to everything.
pub(crate) fn yes(request: &Message) -> Option<Builder> {
    let reply = Builder::reply_to(request, 200, "OK").to_tag("hs1");
    let contact = request.text(Name::Contact).unwrap_or_default().into_owned();
    let bare = contact.split_inclusive('>').next().unwrap_or_default();
    Some(match asked(request) {
        0 => reply,
        _ => reply.header(Name::Contact, format!("{bare};expires=600")),
    })
}

/// The lifetime a REGISTER asks for, in seconds; 0 for other requests.
pub(crate) fn asked(request: &Message) -> u32 {
    let contact = request.get::<homing_wire::Contact<'_>>().ok().flatten();
    contact.and_then(|contact| contact.expires()).or(request.expires().unwrap()).unwrap_or(0)
}

/// Demands Digest with SHA-256, then says yes.
pub(crate) fn digest(request: &Message) -> Option<Builder> {
    if request.text(Name::Authorization).is_some() {
        return yes(request);
    }
    challenge(request)
}

/// Demands Digest, whatever the request brings.
pub(crate) fn challenge(request: &Message) -> Option<Builder> {
    let challenge =
        "Digest realm=\"network.com\", nonce=\"canary-nonce-51\", qop=\"auth\", algorithm=SHA-256";
    let reply = Builder::reply_to(request, 401, "Unauthorized").to_tag("hs1");
    Some(reply.header(Name::WwwAuthenticate, challenge))
}

pub(crate) fn alice() -> AccountConfig {
    // One user agent takes an endpoint once.
    static NEXT: AtomicU32 = AtomicU32::new(0x0101_0101);
    let epid = format!("{:08x}", NEXT.fetch_add(1, Ordering::Relaxed));
    AccountConfig::new(Aor::parse("alice@network.com").unwrap(), epid)
}

const PATIENCE: Duration = Duration::from_secs(20);
