"""Every sentence of the bot's own pages for people, by name, and what each needs.

As with what it says in messages (`catalogue.py`), the words stand in `languages/*.toml`, each file held to this list by
a test. The admins' pages are in English.
"""

from collections.abc import Mapping
from datetime import datetime

from bot.language.catalogue import Label
from ledger.money import Money

_NOTHING: Mapping[str, type] = {}

PAGE_PHRASES: Mapping[str, Mapping[str, type]] = {
    # Everywhere.
    "page_skip": _NOTHING,
    "page_status": _NOTHING,
    "page_account": _NOTHING,
    "page_at": {"at": datetime},
    "page_never": _NOTHING,
    "page_amount": {"amount": Money},
    "page_person": {"person": Label},
    "page_entry": {"entries": tuple},
    # The status page, for anybody.
    "status_well": _NOTHING,
    "status_well_means": _NOTHING,
    "status_slow": _NOTHING,
    "status_slow_means": _NOTHING,
    "status_paused": _NOTHING,
    "status_paused_means": _NOTHING,
    "status_closing": _NOTHING,
    "status_closing_means": _NOTHING,
    "status_alarm": _NOTHING,
    "status_last_payment": _NOTHING,
    "status_last_read": _NOTHING,
    "status_seal": _NOTHING,
    "status_root": _NOTHING,
    "status_root_means": _NOTHING,
    "status_help": _NOTHING,
    "status_help_how": {"bot": str, "operator": str},
    # What goes wrong.
    "error_missing": _NOTHING,
    "error_refused": _NOTHING,
    "error_busy": _NOTHING,
    "error_fault": _NOTHING,
    # Signing in.
    "signin_title": _NOTHING,
    "signin_how": {"bot": str},
    "signin_as": {"person": Label},
    "signin_warning": _NOTHING,
    "signin_stale": _NOTHING,
    "signin_again": _NOTHING,
    "signin_out": _NOTHING,
    "signin_lost": _NOTHING,
    "signin_lost_done": _NOTHING,
    "code_label": _NOTHING,
    "code_or_recovery": _NOTHING,
    "code_wrong": _NOTHING,
    "code_locked": {"until": datetime},
    # A person's own page.
    "me_available": _NOTHING,
    "me_held": {"held": Money},
    "me_incoming": {"incoming": Money},
    "me_history": _NOTHING,
    "me_history_none": _NOTHING,
    # Open questions.
    "question_title": _NOTHING,
    "question_none": _NOTHING,
    "question_until": {"expires_at": datetime},
    "question_pay": {"total": Money},
    "question_refuse": _NOTHING,
    "question_needs_factor": _NOTHING,
    "question_paid": {"reference": str},
    "question_not_paid": _NOTHING,
    "question_was_refused": _NOTHING,
    "question_gone": _NOTHING,
    # The second factor.
    "factor_title": _NOTHING,
    "factor_means": _NOTHING,
    "factor_none": _NOTHING,
    "factor_is_new": {"until": datetime},
    "factor_is_active": _NOTHING,
    "factor_going": {"until": datetime},
    "factor_replacing": {"until": datetime},
    "factor_begin": _NOTHING,
    "factor_replace": _NOTHING,
    "factor_remove": _NOTHING,
    "factor_keep": _NOTHING,
    "factor_proof_means": _NOTHING,
    "factor_not_now": _NOTHING,
    "factor_scan": _NOTHING,
    "factor_key": _NOTHING,
    "factor_then": _NOTHING,
    "factor_verify": _NOTHING,
    "factor_recovery": _NOTHING,
    "factor_recovery_means": _NOTHING,
    "factor_written": _NOTHING,
    "factor_change": _NOTHING,
    # Devices.
    "device_title": _NOTHING,
    "device_this": _NOTHING,
    "device_seen": {"at": datetime},
    "device_means": _NOTHING,
    # Settings.
    "settings_title": _NOTHING,
    "settings_language": _NOTHING,
    "settings_save": _NOTHING,
    "settings_saved": _NOTHING,
    # Control over one's account and data.
    "control_title": _NOTHING,
    "control_freeze_means": _NOTHING,
    "control_freeze": _NOTHING,
    "control_frozen": _NOTHING,
    "control_frozen_by_operator": _NOTHING,
    "control_locked": _NOTHING,
    "control_unlock": _NOTHING,
    "control_thaw": _NOTHING,
    "control_thaw_by_message": _NOTHING,
    "trust_title": _NOTHING,
    "trust_means": _NOTHING,
    "trust_who": {"person": Label, "until": datetime},
    "trust_now": _NOTHING,
    "data_title": _NOTHING,
    "data_means": _NOTHING,
    "data_fetch": _NOTHING,
    "erase_title": _NOTHING,
    "erase_means": _NOTHING,
    "erase_now": _NOTHING,
    "erase_by_message": _NOTHING,
    "erase_not_now": _NOTHING,
}
