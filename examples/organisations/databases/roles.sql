-- What the application connects as: it owns nothing and bypasses nothing.
CREATE ROLE vechat_app;
