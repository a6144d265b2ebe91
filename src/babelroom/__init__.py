"""babelroom: live, translated, two-way conversations on Supabase."""

from importlib.metadata import version

from babelroom.client import Babelroom, check_supabase_connection
from babelroom.config import Settings
from babelroom.deadlines import deadline
from babelroom.errors import (
    BabelroomError,
    ClientClosed,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidActivity,
    InvalidCode,
    InvalidId,
    InvalidInput,
    InvalidLanguage,
    InvalidText,
    MessageNotFound,
    MissingCredentials,
    PermissionDenied,
    SchemaMissing,
    SessionExpired,
    SessionNotFound,
    SubscribeFailed,
    SubscribeTimeout,
    SupabaseError,
    TranslationFailed,
    Unavailable,
    is_transient,
)
from babelroom.health import Health
from babelroom.models import (
    ActivityType,
    EndCause,
    Message,
    MessageInsert,
    MessageStatus,
    MessageUpdate,
    Participant,
    PerformanceMetrics,
    ReadyMessage,
    Session,
    SessionEnded,
    SessionInsert,
    SessionUpdate,
    Translation,
    UserActivity,
    UserActivityInsert,
    UserActivityUpdate,
)
from babelroom.realtime.status import State, StateChange
from babelroom.realtime.stream import Stream
from babelroom.realtime.subscription import Subscription
from babelroom.realtime.subscriptions import SubscriptionHealth
from babelroom.services.activity import ActivityService
from babelroom.services.messages import MessageService
from babelroom.services.sessions import SessionService
from babelroom.services.translation import TranslationService
from babelroom.timings import Timing
from babelroom.translators import Translator

__version__ = version("babelroom")

__all__ = [
    "ActivityService",
    "ActivityType",
    "Babelroom",
    "BabelroomError",
    "ClientClosed",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "EndCause",
    "Health",
    "InvalidActivity",
    "InvalidCode",
    "InvalidId",
    "InvalidInput",
    "InvalidLanguage",
    "InvalidText",
    "Message",
    "MessageInsert",
    "MessageNotFound",
    "MessageService",
    "MessageStatus",
    "MessageUpdate",
    "MissingCredentials",
    "Participant",
    "PerformanceMetrics",
    "PermissionDenied",
    "ReadyMessage",
    "SchemaMissing",
    "Session",
    "SessionEnded",
    "SessionExpired",
    "SessionInsert",
    "SessionNotFound",
    "SessionService",
    "SessionUpdate",
    "Settings",
    "State",
    "StateChange",
    "Stream",
    "SubscribeFailed",
    "SubscribeTimeout",
    "Subscription",
    "SubscriptionHealth",
    "SupabaseError",
    "Timing",
    "Translation",
    "TranslationFailed",
    "TranslationService",
    "Translator",
    "Unavailable",
    "UserActivity",
    "UserActivityInsert",
    "UserActivityUpdate",
    "__version__",
    "check_supabase_connection",
    "deadline",
    "is_transient",
]
