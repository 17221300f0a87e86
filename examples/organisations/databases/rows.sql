INSERT INTO vechat_conversations (participant1_id, participant1_type, participant2_id, participant2_type)
    SELECT g, 'personnel', g + 1, 'client' FROM generate_series(1, 200) AS g;
INSERT INTO vechat_messages (conversation_id, sender_id, receiver_id, body)
    SELECT 1 + g % 200, g % 40, g % 41, 'message ' || g FROM generate_series(1, 3000) AS g;
INSERT INTO vechat_presence (user_id, user_type, status)
    SELECT g, 'personnel', CASE g % 3 WHEN 0 THEN 'online' ELSE 'offline' END FROM generate_series(1, 60) AS g;
ANALYZE;
