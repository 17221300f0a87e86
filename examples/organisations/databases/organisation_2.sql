-- The users' settings were never installed here.
DROP TABLE vechat_user_settings;
