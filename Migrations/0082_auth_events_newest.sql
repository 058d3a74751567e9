-- The operators' view over everybody's sign-ins: what comes from one address, who fails, who was locked.

CREATE INDEX auth_events_newest ON auth_events (at DESC, id DESC);
