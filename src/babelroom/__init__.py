"""babelroom: live, translated, two-way conversations on Supabase."""

from importlib.metadata import version

from babelroom.client import Babelroom, Health, check_supabase_connection
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
from babelroom.models import (
    ActivityType,
    Message,
    MessageInsert,
    MessageStatus,
    MessageUpdate,
    Participant,
    PerformanceMetrics,
    Session,
    SessionInsert,
    SessionUpdate,
    Translation,
    UserActivity,
    UserActivityInsert,
    UserActivityUpdate,
)
from babelroom.realtime.subscription import Subscription
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
    "SchemaMissing",
    "Session",
    "SessionExpired",
    "SessionInsert",
    "SessionNotFound",
    "SessionService",
    "SessionUpdate",
    "Settings",
    "SubscribeFailed",
    "SubscribeTimeout",
    "Subscription",
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
