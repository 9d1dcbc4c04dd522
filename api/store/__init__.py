"""What the service keeps: accounts, records, calls (the dial queue), facts, webhooks to deliver."""
