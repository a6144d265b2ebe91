-- Enable required extensions
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "pg_cron" SCHEMA extensions;

-- Drop existing tables if any (for clean setup)
DROP TABLE IF EXISTS user_activity CASCADE;
DROP TABLE IF EXISTS messages CASCADE;
DROP TABLE IF EXISTS sessions CASCADE;

-- Sessions table
CREATE TABLE sessions (
  id UUID DEFAULT uuid_generate_v4() PRIMARY KEY,
  code CHAR(4) NOT NULL UNIQUE,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  expires_at TIMESTAMP WITH TIME ZONE DEFAULT NOW() + INTERVAL '4 hours',
  is_active BOOLEAN DEFAULT true,
  user_count INTEGER DEFAULT 0,
  last_activity TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Messages table with queue support
CREATE TABLE messages (
  id UUID DEFAULT uuid_generate_v4() PRIMARY KEY,
  session_id UUID REFERENCES sessions(id) ON DELETE CASCADE,
  user_id UUID NOT NULL,
  original TEXT NOT NULL,
  translation TEXT,
  original_lang VARCHAR(10) NOT NULL,
  target_lang VARCHAR(10) NOT NULL,
  status VARCHAR(20) DEFAULT 'queued' CHECK (status IN ('queued', 'processing', 'displayed', 'failed')),
  queued_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  processed_at TIMESTAMP WITH TIME ZONE,
  displayed_at TIMESTAMP WITH TIME ZONE,
  performance_metrics JSONB,
  timestamp TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Activity status table for real-time indicators
CREATE TABLE user_activity (
  id UUID DEFAULT uuid_generate_v4() PRIMARY KEY,
  session_id UUID REFERENCES sessions(id) ON DELETE CASCADE,
  user_id UUID NOT NULL,
  activity_type VARCHAR(20) NOT NULL CHECK (activity_type IN ('typing', 'recording', 'processing', 'idle')),
  started_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  UNIQUE(session_id, user_id)
);

-- Create indexes for performance
CREATE INDEX idx_sessions_code ON sessions(code) WHERE is_active = true;
CREATE INDEX idx_sessions_expires_at ON sessions(expires_at) WHERE is_active = true;
CREATE INDEX idx_messages_session_id ON messages(session_id);
CREATE INDEX idx_messages_status ON messages(session_id, status);
CREATE INDEX idx_messages_queue ON messages(session_id, queued_at) WHERE status = 'queued';
CREATE INDEX idx_user_activity_session ON user_activity(session_id);
CREATE INDEX idx_user_activity_updated ON user_activity(updated_at);

-- Enable Row Level Security
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_activity ENABLE ROW LEVEL SECURITY;

-- RLS Policies (anonymous access for demo)
-- In production, implement proper auth
CREATE POLICY "Anyone can read sessions" ON sessions 
  FOR SELECT USING (true);

CREATE POLICY "Anyone can create sessions" ON sessions 
  FOR INSERT WITH CHECK (true);

CREATE POLICY "Anyone can update sessions" ON sessions 
  FOR UPDATE USING (true);

CREATE POLICY "Anyone can read messages" ON messages 
  FOR SELECT USING (true);

CREATE POLICY "Anyone can create messages" ON messages 
  FOR INSERT WITH CHECK (true);

CREATE POLICY "Anyone can update messages" ON messages 
  FOR UPDATE USING (true);

CREATE POLICY "Anyone can manage activity" ON user_activity 
  FOR ALL USING (true);

-- Enable realtime for tables
ALTER PUBLICATION supabase_realtime ADD TABLE messages;
ALTER PUBLICATION supabase_realtime ADD TABLE user_activity;
ALTER PUBLICATION supabase_realtime ADD TABLE sessions;

-- Activity cleanup trigger
CREATE OR REPLACE FUNCTION cleanup_stale_activity()
RETURNS TRIGGER AS $$
BEGIN
  -- Delete stale activity older than 5 seconds
  DELETE FROM user_activity 
  WHERE updated_at < NOW() - INTERVAL '5 seconds'
  AND activity_type != 'idle';
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER trigger_activity_cleanup
AFTER INSERT OR UPDATE ON user_activity
FOR EACH STATEMENT
EXECUTE FUNCTION cleanup_stale_activity();

-- Session cleanup function
CREATE OR REPLACE FUNCTION cleanup_expired_sessions()
RETURNS void AS $$
BEGIN
  UPDATE sessions 
  SET is_active = false 
  WHERE expires_at < NOW() 
  AND is_active = true;
END;
$$ LANGUAGE plpgsql;

-- Schedule cleanup every hour using pg_cron
SELECT cron.schedule(
  'cleanup-expired-sessions',
  '0 * * * *',
  'SELECT cleanup_expired_sessions();'
);

-- Function to generate unique session code
CREATE OR REPLACE FUNCTION generate_unique_session_code()
RETURNS CHAR(4) AS $$
DECLARE
  new_code CHAR(4);
  code_exists BOOLEAN;
BEGIN
  LOOP
    -- Generate random 4-digit code
    new_code := LPAD(FLOOR(RANDOM() * 10000)::TEXT, 4, '0');
    
    -- Check if code already exists
    SELECT EXISTS(
      SELECT 1 FROM sessions 
      WHERE code = new_code 
      AND is_active = true
    ) INTO code_exists;
    
    EXIT WHEN NOT code_exists;
  END LOOP;
  
  RETURN new_code;
END;
$$ LANGUAGE plpgsql;
