export class Rename1700000000002 {
  async up(queryRunner) {
    await queryRunner.renameColumn("users", "a", "b");
  }
  async down(queryRunner) {
  }
}
