//! The bus: one task owns the port, and every instrument on the line is its tenant.
//!
//! Whoever wants to say something waits for its turn, first come, first served; a tenant has
//! one request under way, so none can crowd out another. [`Port`] keeps what all tenants
//! share: the silence between two speakers, measured from the last byte, and the rule that
//! a late reply is never taken for the answer to another question.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::description::Description;
use crate::port::{Adapters, Exchange, ExchangeOutcome, Port, PortError, PortSettings};
use crate::recipe::{Recipe, RecipeError, RecipeOutcome, Step};
use crate::reply::{EncodeError, Request};

/// Requests of this many tenants wait in the line before their senders wait themselves.
const WAITING: usize = 64;

/// A port and the task that owns it; the port is closed when the bus and its tenants are
/// dropped.
#[derive(Debug)]
pub struct Bus {
    settings: PortSettings,
    jobs: mpsc::Sender<Job>,
    clock: Handle,
}

/// One instrument on a bus.
#[derive(Debug)]
pub struct Tenant {
    description: Arc<Description>,
    jobs: mpsc::Sender<Job>,
    clock: Handle,
}

/// A port that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What people call the port.
    pub name: String,
    /// The name that it had before, where it came back under another one.
    pub was: Option<String>,
}

enum Job {
    Open {
        done: oneshot::Sender<Result<Opening, PortError>>,
    },
    Exchange {
        tx: Vec<u8>,
        request: Request,
        description: Arc<Description>,
        done: oneshot::Sender<Exchange>,
    },
}

#[derive(Clone)]
struct Handle(Arc<dyn Clock>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("clock")
    }
}

impl Bus {
    /// A bus whose port is not open yet. It needs a tokio runtime around it.
    pub fn new(settings: PortSettings, clock: Arc<dyn Clock>, adapters: Arc<dyn Adapters>) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let owner = Owner {
            settings: settings.clone(),
            adapters,
            clock: Arc::clone(&clock),
            port: None,
            name: None,
            debt: (0, 0),
        };
        tokio::spawn(owner.work(waiting));
        Self {
            settings,
            jobs,
            clock: Handle(clock),
        }
    }

    /// Opens the port, or opens it anew: by the serial number of its adapter where the
    /// settings name one, else by its path. An open port is left as it is.
    ///
    /// # Errors
    /// [`PortError`] where it is not there or cannot be opened as stated.
    ///
    /// # Panics
    /// Where the task of the bus has panicked.
    pub async fn open(&self) -> Result<Opening, PortError> {
        ask(&self.jobs, |done| Job::Open { done }).await
    }

    /// A place on the line for an instrument. Exchanges begin when the port is open.
    pub fn tenant(&self, description: Description) -> Tenant {
        Tenant {
            description: Arc::new(description),
            jobs: self.jobs.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn settings(&self) -> &PortSettings {
        &self.settings
    }
}

impl Tenant {
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Waits for its turn, sends the request and collects the reply. Never repeats. Where
    /// the port is not open, the outcome says so after the time limit of the exchange.
    ///
    /// # Errors
    /// [`EncodeError`] where the description cannot express the request; nothing was sent.
    ///
    /// # Panics
    /// Where the task of the bus has panicked.
    pub async fn exchange(&mut self, request: &Request) -> Result<Exchange, EncodeError> {
        let tx = self.description.encode(request)?;
        let job = |done| Job::Exchange {
            tx,
            request: request.clone(),
            description: Arc::clone(&self.description),
            done,
        };
        Ok(ask(&self.jobs, job).await)
    }

    /// Runs a recipe to its end, without any repetition; `seen` is shown every exchange
    /// before its reply is decoded.
    ///
    /// # Errors
    /// [`RecipeError`] with the first failure.
    ///
    /// # Panics
    /// Where the task of the bus has panicked.
    pub async fn run(
        &mut self,
        mut recipe: Recipe,
        seen: &mut (dyn FnMut(&Exchange) + Send),
    ) -> Result<RecipeOutcome, RecipeError> {
        let mut reply = None;
        loop {
            match recipe.advance(reply.take()) {
                Step::Send(request) => {
                    let exchange = self.exchange(&request).await?;
                    seen(&exchange);
                    reply = Some(self.description.decode(&request, &exchange.rx));
                }
                Step::Wait { us } => {
                    let clock = &self.clock.0;
                    clock.wait_until(clock.now_us().saturating_add(us)).await;
                }
                Step::Done(outcome) => return Ok(outcome),
                Step::Failed(error) => return Err(error),
            }
        }
    }
}

async fn ask<T>(jobs: &mpsc::Sender<Job>, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> T {
    let (done, answer) = oneshot::channel();
    // The owner works as long as anyone can ask it.
    jobs.send(job(done)).await.expect("the bus is there");
    answer.await.expect("the bus answers")
}

/// What the task of a bus holds.
struct Owner {
    settings: PortSettings,
    adapters: Arc<dyn Adapters>,
    clock: Arc<dyn Clock>,
    port: Option<Port>,
    /// Name of the port when it was last opened.
    name: Option<String>,
    /// What the line owed when the port was lost.
    debt: (u64, u64),
}

impl Owner {
    async fn work(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(job) = waiting.recv().await {
            // Whoever asked may have given up; the line has to be left in order all the same.
            match job {
                Job::Open { done } => drop(done.send(self.open().await)),
                Job::Exchange {
                    tx,
                    request,
                    description,
                    done,
                } => drop(done.send(self.exchange(&tx, &request, &description).await)),
            }
        }
    }

    async fn open(&mut self) -> Result<Opening, PortError> {
        if let (Some(_), Some(name)) = (&self.port, &self.name) {
            let (name, was) = (name.clone(), None);
            return Ok(Opening { name, was });
        }
        let (settings, name) = match &self.settings.adapter {
            Some(adapter) => {
                let found = self.adapters.find(adapter);
                let found = found.ok_or_else(|| PortError::NoAdapter {
                    adapter: adapter.clone(),
                })?;
                let path = found.path;
                let settings = PortSettings {
                    path,
                    ..self.settings.clone()
                };
                (settings, found.name)
            }
            None => (self.settings.clone(), self.settings.path.clone()),
        };
        let mut port = Port::open(&settings).await?;
        port.owing(self.debt);
        self.port = Some(port);
        let was = self.name.replace(name.clone());
        let was = was.filter(|was| *was != name);
        Ok(Opening { name, was })
    }

    async fn exchange(
        &mut self,
        tx: &[u8],
        request: &Request,
        description: &Description,
    ) -> Exchange {
        let limits = description.limits(request);
        let Some(port) = &mut self.port else {
            // A port that is not there is asked at the pace of its limit.
            self.clock.spent(limits.total_us);
            return Exchange::not_open(tx, self.clock.now_us());
        };
        let mut frame = |received: &[u8]| description.frame(request, received);
        let exchange = port.exchange(tx, &mut frame, limits, &*self.clock).await;
        if matches!(exchange.outcome, ExchangeOutcome::Closed { .. }) {
            // Held on to, the name of the lost port would not be free when it comes back.
            self.debt = port.debt();
            self.port = None;
        } else if description.decode(request, &exchange.rx).is_err() {
            port.distrust();
        }
        exchange
    }
}
