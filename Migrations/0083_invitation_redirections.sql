-- Somebody who was invited at one address and has an account at another asks to be invited there; the inviter agrees or not.

ALTER TABLE invitations ADD COLUMN redirect_user_id uuid;
ALTER TABLE invitations ADD COLUMN redirect_asked_at timestamptz;
ALTER TABLE invitations ADD CONSTRAINT invitations_redirect_user_id_fkey
    FOREIGN KEY (redirect_user_id) REFERENCES users (id);
ALTER TABLE invitations ADD CONSTRAINT invitations_redirect_is_whole CHECK (
    (redirect_user_id IS NULL) = (redirect_asked_at IS NULL));
