import API
import Core
import Postgres
import Wire

/// A small domain that registers all there is to register, as any other does: notes with tags, fields of their own and
/// of a shelf, comments, imports, exports, days in the calendar. A secret note is its owner's alone.
enum NotesDomain: Domain {
    static let name = "Notes"
    static let summary = "Notes, for tests."

    static let permissions: [Permission] = [.notesRead, .notesWrite]
    static let subjects = [note]
    static let watchables = [
        Watchable("note", .notesRead) { "SELECT 1 FROM notes WHERE company_id = \($1) AND id = \($0)" }
    ]

    static let tagging = Tagging(table: "note_tags", column: "note_id")

    static let note = Subject(
        "note", "Note", .notesRead, tagging: tagging,
        fields: CustomFieldHome(table: "notes", scopeColumn: "shelf_id") { shelf, isChange, call in
            let rows = try await call.db.query(
                "SELECT 1 FROM notes WHERE company_id = \(call.company) AND shelf_id = \(shelf) LIMIT 1")
            if rows.isEmpty { throw Problem.notFound }
            if isChange { try call.require(.notesWrite) }
        },
        view: ViewShape(Notes.Filter.self, columns: ["title", "due_on", "tag_ids"], groups: ["due_on"]),
        search: SubjectSearch { member, text, limit in
            """
            SELECT n.id, n.title, NULL::text AS detail, '/notes/' || n.id AS link, 1::real AS rank, n.updated_at
              FROM notes n
             WHERE n.company_id = \(member.companyId) AND \(fragment: Notes.visible(to: member.memberId))
               AND n.title ILIKE \("%\(SQL.literalPattern(text))%")
             ORDER BY n.updated_at DESC LIMIT \(limit)
            """
        },
        see: { call, id in
            let rows = try await call.db.query(
                """
                SELECT n.title, coalesce(n.owner_id = \(call.member), false) AS is_own FROM notes n
                 WHERE n.company_id = \(call.company) AND n.id = \(id) AND \(fragment: Notes.visible(to: call.member))
                """)
            guard let row = rows.first else { return nil }
            return SubjectHead(
                title: try row.get("title"), link: "/notes/\(id)", canComment: true,
                canModerate: try row.get("is_own"))
        },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM notes n WHERE n.company_id = \(company) AND n.id = \(id)
                       AND (NOT n.is_secret OR n.owner_id = m.id))
            """
        })

    static var routes: [Route] { Notes.routes }

    /// What the tests' database gets beside the migrations.
    static let tables = """
        CREATE TABLE notes (
            company_id uuid NOT NULL, id uuid NOT NULL, title text NOT NULL, shelf_id uuid, owner_id uuid,
            is_secret boolean NOT NULL DEFAULT false, due_on date, custom jsonb NOT NULL DEFAULT '{}',
            version integer NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT notes_pkey PRIMARY KEY (company_id, id), CONSTRAINT notes_title_not_cursed CHECK (title <> 'cursed'));
        CREATE INDEX notes_custom ON notes USING gin (custom jsonb_path_ops);
        CREATE TABLE note_tags (
            company_id uuid NOT NULL, note_id uuid NOT NULL, tag_id uuid NOT NULL,
            PRIMARY KEY (company_id, note_id, tag_id),
            FOREIGN KEY (company_id, note_id) REFERENCES notes (company_id, id) ON DELETE CASCADE,
            FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id));
        CREATE INDEX note_tags_by_tag ON note_tags (company_id, tag_id);
        GRANT SELECT, INSERT, UPDATE, DELETE ON notes, note_tags TO infinity_app;
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON notes USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
        ALTER TABLE note_tags ENABLE ROW LEVEL SECURITY; ALTER TABLE note_tags FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON note_tags USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
        """
}

extension Permission {
    static let notesRead = Permission(
        "notes:read", "See notes", [.owner, .admin, .manager, .member, .viewer, .client])
    static let notesWrite = Permission("notes:write", "Write notes", [.owner, .admin, .manager, .member])
}

enum Notes {
    @RouteList static var routes: [Route] {
        GET("/v1/jottings", "List notes", .can(.notesRead), list)
        POST("/v1/jottings", "Write a note", .can(.notesWrite), create)
        PATCH("/v1/jottings/{id}", "Change a note", .can(.notesWrite), change).ifMatch(.ignored)
    }

    struct Note: Codable, Sendable {
        let id: UUID
        let title: String
        let shelfId: UUID?
        let dueOn: LocalDate?
        let custom: JSON
        let tagIds: [UUID]
        let commentCount: Int
        let version: Int
        let createdAt: Timestamp
    }

    struct NewNote: Codable, Sendable {
        let title: Text<200>
        let shelfId: UUID?
        let isSecret: Bool?
        let dueOn: LocalDate?
        let custom: JSON?
        let tagIds: [UUID]?
    }

    struct NoteChange: Codable, Sendable {
        let title: Text<200>?
        let custom: JSON?
    }

    struct Filter: ListFilter {
        let title: String?
        let shelfId: UUID?
        let dueOn: Bounds<LocalDate>?
        let custom: CustomFilter?
        let tagIds: [UUID]?

        static let sorts = ["title", "-created_at"]
        static let search = ["title"]
        static let ownFields: Set<String> = ["custom", "tag_ids"]
    }

    static func visible(to member: UUID?) -> SQL { "(NOT n.is_secret OR n.owner_id = \(member)::uuid)" }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Note> {
        let company = try call.company
        var sql = try select(company, call.member, internalToo: call.can(.commentsInternal))
        if let custom = list.custom {
            let fields = call.environment[CustomFields.self]
            let condition = try await fields.condition(
                custom, on: "n.custom", of: "note", scope: list.shelfId, company: company)
            sql += " AND \(fragment: condition)"
        }
        if let tags = list.tagIds {
            sql += " AND \(fragment: NotesDomain.tagging.hasAny(tags, of: "n.id", company: company))"
        }
        return try await call.page(list, sql)
    }

    static func select(_ company: UUID, _ member: UUID?, internalToo: Bool) -> SQL {
        """
        SELECT n.id, n.title, n.shelf_id, n.due_on, n.custom,
               \(fragment: NotesDomain.tagging.ids(of: "n.id", company: company)) AS tag_ids,
               \(fragment: CommentCounts.of("note", id: "n.id", internalToo: internalToo, company: company)) AS comment_count,
               n.version, n.created_at
          FROM notes n WHERE n.company_id = \(company) AND \(fragment: visible(to: member))
        """
    }

    static func create(_ call: Call, _ body: Body<NewNote>) async throws -> Created<Note> {
        let (company, member) = (try call.company, try call.member)
        let id = UUID.v7()
        let custom = try await call.environment[CustomFields.self].checked(
            body.custom, over: nil, of: "note", scope: body.shelfId, company: company)
        let rows: Rows = try await call.db.transaction { tx in
            let tags = body.tagIds ?? []
            try await Tags.mustExist(tags, at: "/tag_ids", company: company, in: tx)
            _ = try await tx.batch([
                """
                INSERT INTO notes (company_id, id, title, shelf_id, owner_id, is_secret, due_on, custom)
                VALUES (\(company), \(id), \(body.title.text), \(body.shelfId), \(member), \(body.isSecret ?? false),
                        \(body.dueOn), \(JSONText(custom)))
                """, NotesDomain.tagging.add(tags, to: [id], company: company),
            ])
            return try await tx.query(
                "\(fragment: select(company, member, internalToo: true)) AND n.id = \(id)")
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<NoteChange>) async throws -> Single<Note>
    {
        let (company, member) = (try call.company, try call.member)
        let fields = call.environment[CustomFields.self]
        let rows: Rows = try await call.db.transaction { tx in
            let rows = try await tx.query(
                "SELECT shelf_id, custom::text AS custom FROM notes WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
            )
            guard let row = rows.first else { throw Problem.notFound }
            let stored = try JSON.parse(row.get("custom", as: String.self))
            let shelf: UUID? = try row.get("shelf_id")
            let custom = try await fields.checked(
                body.custom, over: stored, of: "note", scope: shelf, company: company)
            var changes = Changes()
            changes.set("title", body.title)
            changes.set("custom", to: "\(JSONText(custom))::jsonb")
            _ = try await tx.query(
                "UPDATE notes SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)")
            return try await tx.query(
                "\(fragment: select(company, member, internalToo: true)) AND n.id = \(id)")
        }
        return try Single(rows)
    }
}
