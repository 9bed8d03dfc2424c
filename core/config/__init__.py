"""Configuration: one TOML file of the user, and a small one in the workspace, which may say little."""

from core.config.checking import ConfigError
from core.config.loading import LARGEST_BYTES, WORKSPACE_FILE, config_path, load_config, strange_settings, trust
from core.config.manual import default_config_text
from core.config.settings import (
    ApprovalSettings,
    AttentionSettings,
    CommandSettings,
    Config,
    ConstraintSettings,
    ContextSettings,
    GuardSettings,
    HookSettings,
    LimitSettings,
    ModelSettings,
    NetworkSettings,
    NotifySettings,
    Policy,
    PriceSettings,
    ProfileSettings,
    RetryPolicy,
    RoutingSettings,
    SandboxMode,
    SandboxSettings,
    ScreenSettings,
    ServerSettings,
    TelemetrySettings,
    ToolSettings,
    WorkspaceSettings,
)
