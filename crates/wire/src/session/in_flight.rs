use std::collections::HashMap;
use std::sync::Arc;

use rowmill_columns::{Batch, OwnedRow};

use crate::catalogue::TypeInfo;
use crate::decode::RowDecoder;
use crate::statement::{Description, Prepared};
use crate::{Completion, Failure, Load, Output, Portal, Request, RequestId, Statement, Tag};

/// A request from its start to its end.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) id: RequestId,
    pub(super) work: Work,
    pub(super) stage: Stage,
    /// The statement's number on this connection, once it has one.
    pub(super) number: u64,
    /// CloseComplete messages that come before anything else.
    pub(super) closes: u32,
    /// The first thing that went wrong.
    pub(super) failure: Option<Failure>,
    /// The server has said all it has to say but that it is ready.
    pub(super) is_ended: bool,
    /// False once it was abandoned.
    pub(super) is_wanted: bool,
    pub(super) asked: Asked,
}

#[derive(Debug)]
pub(super) enum Work {
    Request(Request),
    /// Statements of the simple protocol.
    Script(String),
    /// Rows to a table.
    Load(Load),
    /// More rows of a portal; taken when they are asked for.
    Resume(Option<Box<Portal>>),
    /// The end of the portal that this request opened.
    Close(RequestId),
}

impl Work {
    /// What the statement is cached by.
    pub(super) fn key(&self) -> Option<u128> {
        self.statement().map(|statement| statement.key)
    }

    /// What is prepared.
    pub(super) fn statement(&self) -> Option<&Statement> {
        match self {
            Self::Request(request) => Some(&request.statement),
            Self::Load(load) => Some(&load.insert),
            Self::Script(_) | Self::Resume(_) | Self::Close(_) => None,
        }
    }
}

/// How far a request has come. `Waiting`, `Described` and `Again` are to be sent, the others are
/// being answered.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing of it was sent.
    Waiting,
    /// Its statement is prepared and understood.
    Described(Arc<Prepared>),
    /// Its statement proved out of date and is to be prepared once more, when nothing else is in
    /// flight and outside of a transaction; else this is why it failed.
    Again(Failure),
    /// Parse and Describe were sent.
    Preparing(Preparing),
    /// Types it names are being looked up.
    LookingUp(LookingUp),
    /// Bind and Execute were sent.
    Running(Running),
    /// Its statements were sent by the simple protocol.
    Scripted(Scripted),
    /// Close of a portal was sent.
    Closing,
    /// COPY was sent.
    Loading(Loading),
}

#[derive(Debug, Default)]
pub(super) struct Preparing {
    pub(super) step: Step,
    pub(super) description: Description,
}

#[derive(Debug)]
pub(super) struct LookingUp {
    pub(super) step: Step,
    pub(super) round: u8,
    pub(super) asked: Vec<u32>,
    pub(super) rows: usize,
    pub(super) found: HashMap<u32, TypeInfo>,
    pub(super) description: Description,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) step: Step,
    pub(super) prepared: Arc<Prepared>,
    pub(super) origin: Origin,
    pub(super) rows: Rows,
    /// Bytes of rows so far.
    pub(super) bytes: usize,
    pub(super) completion: Option<Completion>,
    /// Its rows are described once more, when it is bound.
    pub(super) is_described: bool,
    /// The portal of which some rows were asked for.
    pub(super) portal: Option<Portion>,
    /// It may turn out to wait for data: what came behind it would be taken for that, and the
    /// server would end the connection.
    pub(super) is_copy: bool,
}

/// Rows asked of a portal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion {
    /// The request that opened it.
    pub(super) portal: RequestId,
    pub(super) rows: usize,
    /// They have come, and there may be more.
    pub(super) is_suspended: bool,
}

/// What becomes of the rows.
#[derive(Debug)]
pub(super) enum Rows {
    /// They are not wanted, or not any more.
    Ignored,
    /// They become batches.
    Batches(RowDecoder),
    /// The first is wanted, and not there yet.
    First,
    /// The first, and those after it are passed over.
    One(OwnedRow),
    /// The first as a batch, and those after it are passed over.
    OneBatch(Batch),
}

#[derive(Debug, Default)]
pub(super) struct Scripted {
    pub(super) step: Step,
    pub(super) tag: Tag,
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct Loading {
    pub(super) step: Step,
    pub(super) prepared: Arc<Prepared>,
    pub(super) tag: Tag,
}

/// What the server is to send next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// ParseComplete; in a script or a look-up, the next statement's answer.
    #[default]
    First,
    /// ParameterDescription.
    Parameters,
    /// RowDescription or NoData.
    Columns,
    /// BindComplete.
    Bind,
    /// RowDescription or NoData, once more.
    Portal,
    /// DataRow or CommandComplete.
    Rows,
    /// CopyData or CopyDone.
    CopyOut,
    /// Nothing, unless it has something to complain of: it is our turn.
    CopyIn,
    /// CommandComplete alone.
    Complete,
    /// ErrorResponse alone: we told the server to fail.
    Error,
}

/// How often a request's statement was prepared, for a description proved out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Not more than it takes.
    Once,
    /// Once more.
    Again,
    /// Once more, without a name, lest somebody answers who knows its text of old.
    Unnamed,
}

/// Where the description that a request relies on comes from, and so how far it is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From the server, for this request.
    Fresh,
    /// From an earlier request of this connection.
    Cached,
    /// From another connection.
    Shared,
}

impl InFlight {
    pub(super) fn new(id: RequestId, work: Work) -> Self {
        Self {
            id,
            work,
            stage: Stage::Waiting,
            number: 0,
            closes: 0,
            failure: None,
            is_ended: false,
            is_wanted: true,
            asked: Asked::Once,
        }
    }

    /// Whether what follows it has to wait until it is answered.
    pub(super) fn holds_up(&self) -> bool {
        match &self.stage {
            Stage::Preparing(_) | Stage::LookingUp(_) | Stage::Scripted(_) | Stage::Loading(_) => {
                true
            }
            Stage::Running(running) => running.is_copy,
            Stage::Waiting | Stage::Described(_) | Stage::Again(_) | Stage::Closing => false,
        }
    }

    /// What becomes of the rows of `prepared`.
    pub(super) fn rows(&self, prepared: &Prepared) -> Rows {
        let Work::Request(request) = &self.work else { return Rows::Ignored };
        let (rows, bytes) = match request.output {
            _ if !self.is_wanted || self.failure.is_some() => return Rows::Ignored,
            Output::Discard => return Rows::Ignored,
            Output::First if prepared.is_plain => return Rows::First,
            Output::First => (1, usize::MAX),
            Output::Batch => (usize::MAX, usize::MAX),
            Output::Stream { rows, bytes } | Output::Portal { rows, bytes } => {
                (rows.max(1), bytes.max(1))
            }
        };
        Rows::Batches(RowDecoder::new(prepared, rows, bytes))
    }

    /// Whether the first row alone is wanted.
    pub(super) fn wants_first(&self) -> bool {
        matches!(&self.work, Work::Request(request) if request.output == Output::First)
    }
}
