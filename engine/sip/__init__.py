"""SIP: messages (pyVoIP's, behind a normaliser), transactions and dialogs (ours, pure), and a thin UDP driver."""
