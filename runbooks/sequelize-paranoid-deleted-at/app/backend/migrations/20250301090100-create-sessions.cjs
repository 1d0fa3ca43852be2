'use strict';

module.exports = {
  async up(queryInterface, Sequelize) {
    const user = { type: Sequelize.INTEGER, references: { model: 'users', key: 'id' } };
    await queryInterface.createTable('sessions', {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      sessionDate: { type: Sequelize.DATE, allowNull: false },
      duration: { type: Sequelize.INTEGER, allowNull: false, defaultValue: 60 },
      location: { type: Sequelize.STRING, allowNull: false, defaultValue: 'Main studio' },
      userId: user,
      trainerId: user,
      status: { type: Sequelize.STRING, allowNull: false, defaultValue: 'available' },
      bookedAt: Sequelize.DATE,
      cancellationReason: Sequelize.STRING,
      attended: Sequelize.BOOLEAN,
      notes: Sequelize.TEXT,
      rating: Sequelize.INTEGER,
      createdAt: { type: Sequelize.DATE, allowNull: false },
      updatedAt: { type: Sequelize.DATE, allowNull: false },
    });
    await queryInterface.addIndex('sessions', ['sessionDate']);
    await queryInterface.addIndex('sessions', ['userId']);
    await queryInterface.addIndex('sessions', ['trainerId']);
  },

  async down(queryInterface) {
    await queryInterface.dropTable('sessions');
  },
};
