//! The ports of a bench: one bus for each, and the instruments on them by role.

use std::collections::BTreeMap;
use std::sync::Arc;

use heng_drivers::{
    Adapters, Bus, Clock, Exchange, ExchangeOutcome, LineSettings, PortSettings, Request, Tenant,
    description,
};
use heng_records::PortChange;

use super::bench::{Bench, Instrument, is_simulated};
use super::evidence::Evidence;

/// How a role reaches its instrument.
#[derive(Debug, Clone)]
pub struct Connection {
    pub settings: PortSettings,
    /// The port as people know it; the number of a simulated instrument's pseudo-terminal is
    /// of no use to anyone who reads the record.
    pub name: String,
}

/// Why a bench cannot be connected as it is written.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    #[error("role {role:?}: {source}")]
    Line {
        role: String,
        source: heng_drivers::LineError,
    },
    #[error(
        "the roles {first:?} and {second:?} share the port {port}, but state {first_line} and {second_line} for it: one line has one setting, correct the bench"
    )]
    Differ {
        port: String,
        first: String,
        second: String,
        first_line: String,
        second_line: String,
    },
}

/// Connections of a bench whose ports are real.
///
/// # Errors
/// [`PortsError::Line`] naming the role.
pub fn connections(bench: &Bench) -> Result<BTreeMap<String, Connection>, PortsError> {
    let connection = |one: &Instrument| {
        let line = line(one)?;
        let mut settings = description(&one.model).map_or_else(
            || PortSettings::new(&one.port, line),
            |model| model.port_settings(&one.port, line),
        );
        settings.adapter.clone_from(&one.adapter);
        // What the bench says of this unit goes before what the model needs.
        settings.dtr = one.dtr.or(settings.dtr);
        settings.rts = one.rts.or(settings.rts);
        let name = one.port.clone();
        Ok((one.role.clone(), Connection { settings, name }))
    };
    bench.instruments.iter().map(connection).collect()
}

/// # Errors
/// [`PortsError::Line`] naming the role.
pub fn line(instrument: &Instrument) -> Result<LineSettings, PortsError> {
    instrument.line.parse().map_err(|source| PortsError::Line {
        role: instrument.role.clone(),
        source,
    })
}

/// One port with the roles on it.
struct Line {
    bus: Bus,
    name: String,
    roles: Vec<String>,
    open: bool,
}

/// Every port of a session; none is open at first.
pub struct Ports {
    lines: Vec<Line>,
    tenants: BTreeMap<String, Tenant>,
    clock: Arc<dyn Clock>,
}

impl Ports {
    /// # Errors
    /// [`PortsError::Differ`] where two roles share a port with different settings.
    pub fn new(
        connections: &BTreeMap<String, Connection>,
        evidence: &Evidence,
        clock: &Arc<dyn Clock>,
        adapters: &Arc<dyn Adapters>,
    ) -> Result<Self, PortsError> {
        let (mut lines, mut tenants) = (Vec::<Line>::new(), BTreeMap::new());
        for (role, Connection { settings, name }) in connections {
            let shared = lines.iter_mut().find(|line| same_port(&line.bus, settings));
            let line = match shared {
                Some(line) if line.bus.settings() == settings => {
                    line.roles.push(role.clone());
                    line
                }
                Some(line) => {
                    return Err(PortsError::Differ {
                        port: name.clone(),
                        first: line.roles.first().cloned().unwrap_or_default(),
                        second: role.clone(),
                        first_line: described(line.bus.settings()),
                        second_line: described(settings),
                    });
                }
                None => {
                    let (clock, adapters) = (Arc::clone(clock), Arc::clone(adapters));
                    lines.push(Line {
                        bus: Bus::new(settings.clone(), clock, adapters),
                        name: name.clone(),
                        roles: vec![role.clone()],
                        open: false,
                    });
                    let last = lines.len() - 1;
                    &mut lines[last]
                }
            };
            if let Some(driver) = evidence.drivers.get(role) {
                tenants.insert(role.clone(), line.bus.tenant(driver.clone()));
            }
        }
        let clock = Arc::clone(clock);
        Ok(Self {
            lines,
            tenants,
            clock,
        })
    }

    /// Whether the port of the role has to be opened before anything is said on it.
    pub fn is_closed(&self, role: &str) -> bool {
        self.line(role).is_some_and(|line| !line.open)
    }

    /// Roles of which each stands for one port.
    pub fn leaders(&self) -> Vec<String> {
        let leaders = self.lines.iter().filter_map(|line| line.roles.first());
        leaders.cloned().collect()
    }

    fn line(&self, role: &str) -> Option<&Line> {
        self.lines
            .iter()
            .find(|line| line.roles.iter().any(|one| one == role))
    }

    fn line_mut(&mut self, role: &str) -> Option<&mut Line> {
        self.lines
            .iter_mut()
            .find(|line| line.roles.iter().any(|one| one == role))
    }

    /// Opens the port of the role and says what became of it, for every role on it.
    pub async fn open(&mut self, role: &str) -> Vec<PortChange> {
        let Some(line) = self.line_mut(role) else {
            return Vec::new();
        };
        let opening = line.bus.open().await;
        line.open = opening.is_ok();
        let settings = line.bus.settings();
        let was = opening.as_ref().ok().and_then(|one| one.was.clone());
        let was = was.map(|_| line.name.clone());
        if let Ok(opening) = &opening
            && (was.is_some() || !is_simulated(&line.name))
        {
            line.name.clone_from(&opening.name);
        }
        let path = line.name.clone();
        let change = |role: &String| match &opening {
            Ok(_) => PortChange::Opened {
                role: role.clone(),
                path: path.clone(),
                line: settings.line.to_string(),
                was: was.clone(),
            },
            Err(error) => PortChange::Failed {
                role: role.clone(),
                path: path.clone(),
                reason: error.to_string(),
            },
        };
        line.roles.iter().map(change).collect()
    }

    /// One exchange with the instrument of the role; `tx` is the request as its description
    /// encodes it.
    pub async fn exchange(&mut self, role: &str, request: &Request, tx: &[u8]) -> Exchange {
        let exchange = match self.tenants.get_mut(role) {
            Some(tenant) => tenant.exchange(request).await.ok(),
            None => None,
        };
        let exchange = exchange.unwrap_or_else(|| Exchange::not_open(tx, self.clock.now_us()));
        if matches!(exchange.outcome, ExchangeOutcome::Closed { .. })
            && let Some(line) = self.line_mut(role)
        {
            line.open = false;
        }
        exchange
    }

    /// Brings everything that has a safe state to it. What happens here is not recorded.
    pub async fn safe_state_unrecorded(&mut self) {
        for tenant in self.tenants.values_mut() {
            // There is nobody left to be told of a failure, so it is tried again.
            for _ in 0..=tenant.description().retries() {
                let Some(recipe) = tenant.description().safe_state() else {
                    break;
                };
                if tenant.run(recipe, &mut |_| ()).await.is_ok() {
                    break;
                }
            }
        }
    }
}

fn same_port(bus: &Bus, settings: &PortSettings) -> bool {
    let open = bus.settings();
    match (&open.adapter, &settings.adapter) {
        (Some(one), Some(other)) => one == other,
        _ => open.path == settings.path,
    }
}

fn described(settings: &PortSettings) -> String {
    let level = |name, level: Option<bool>| level.map(|level| format!("{name} = {level}"));
    let adapter = settings.adapter.as_ref();
    let parts = [
        Some(settings.line.to_string()),
        level("dtr", settings.dtr),
        level("rts", settings.rts),
        adapter.map(|adapter| format!("on the adapter {adapter:?}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(" ")
}
