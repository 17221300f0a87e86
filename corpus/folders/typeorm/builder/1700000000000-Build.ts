import { MigrationInterface, QueryRunner, Table, TableColumn, TableForeignKey, TableIndex, TableUnique, TableCheck } from "typeorm";

export class Build1700000000000 implements MigrationInterface {
  private readonly table = "posts";

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: "users",
        columns: [
          { name: "id", type: "int", isPrimary: true, isGenerated: true, generationStrategy: "increment" },
          { name: "key", type: "uuid", isGenerated: true, generationStrategy: "uuid" },
          { name: "email", type: "varchar", length: "255", isUnique: true },
          { name: "role", type: "enum", enum: ["admin", "it's"], default: "'admin'" },
          { name: "score", type: "numeric", precision: 10, scale: 2, isNullable: true, comment: "it's" },
          { name: "tags", type: "text", isArray: true, default: "'{}'" },
          { name: "createdAt", type: "timestamp with time zone", default: "now()" },
        ],
        indices: [{ columnNames: ["email", "createdAt"] }],
        checks: [{ expression: '"score" > 0' }],
      }),
      true,
    );
    await queryRunner.createTable(
      new Table({
        name: "app.posts",
        columns: [
          { name: "id", type: "bigint", isPrimary: true, isGenerated: true, generationStrategy: "identity" },
          { name: "userId", type: "int" },
          { name: "time", type: "time without time zone", precision: 3 },
        ],
        uniques: [{ columnNames: ["userId", "id"] }],
        foreignKeys: [{ columnNames: ["userId"], referencedTableName: "public.users", referencedColumnNames: ["id"], onDelete: "CASCADE" }],
      }),
    );
    await queryRunner.addColumn("users", new TableColumn({ name: "nick", type: "varchar", isUnique: true, isNullable: true }));
    await queryRunner.addColumns("users", [
      new TableColumn({ name: "kind", type: "enum", enum: ["a", "b"], enumName: "kinds" }),
    ]);
    await queryRunner.createIndex(this.table, new TableIndex({ columnNames: ["userId"], isUnique: true, where: '"userId" > 0' }));
    await queryRunner.createForeignKey("comments", new TableForeignKey({ columnNames: ["b", "a"], referencedTableName: "posts", referencedColumnNames: ["b", "a"], onUpdate: "CASCADE" }));
    await queryRunner.createUniqueConstraint("users", new TableUnique({ columnNames: ["nick", "email"] }));
    await queryRunner.createCheckConstraint("users", new TableCheck({ expression: "nick <> ''" }));
    await queryRunner.createPrimaryKey("links", ["b", "a"]);
    await queryRunner.createSchema("extra", true);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropSchema("extra", true, true);
    await queryRunner.dropForeignKey("comments", "FK_x");
    await queryRunner.dropIndex("users", "IDX_x");
    await queryRunner.dropColumn("users", "nick");
    await queryRunner.dropTable("app.posts", true);
    await queryRunner.dropTable("users");
  }
}
