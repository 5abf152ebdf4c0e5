"""Rules of whom to tell when a run ends. They are accepted, with one warning: nothing is sent yet.

On AWS, Step Functions tells EventBridge of the end of every run; a rule there can tell people.
"""

from upwell._author.notices import Email, NamedDelivery, Notification, Slack, Teams, Webhook

__all__ = ["Email", "NamedDelivery", "Notification", "Slack", "Teams", "Webhook"]
