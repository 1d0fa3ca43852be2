/**
 * A training session: a slot in a trainer's calendar, free or booked by a client.
 *
 * Sessions are never really deleted: the model is paranoid, so that a cancelled or
 * removed session can be brought back and still counts in the reports.
 */
import { DataTypes, Model, Op } from 'sequelize';
import sequelize from '../database.mjs';
import User from './User.mjs';

export const STATUSES = Object.freeze(['available', 'booked', 'completed', 'cancelled']);

class Session extends Model {
  /** When the session ends. */
  get endDate() {
    return new Date(this.sessionDate.getTime() + this.duration * 60_000);
  }

  /** Whether a client can still book it. */
  isBookable(now = new Date()) {
    return this.status === 'available' && this.userId === null && this.sessionDate > now;
  }

  /** Book the session for a client. */
  async book(userId) {
    if (!this.isBookable()) {
      throw new Error(`Session ${this.id} cannot be booked`);
    }
    return this.update({ userId, status: 'booked', bookedAt: new Date() });
  }

  /** Cancel the session, and keep why. */
  async cancel(reason) {
    return this.update({ status: 'cancelled', cancellationReason: reason });
  }

  /** The condition for sessions that are still to come. */
  static upcoming(now = new Date()) {
    return { sessionDate: { [Op.gte]: now } };
  }
}

Session.init(
  {
    id: {
      type: DataTypes.INTEGER,
      primaryKey: true,
      autoIncrement: true,
    },

    // When and where
    sessionDate: {
      type: DataTypes.DATE,
      allowNull: false,
      validate: { isDate: true },
    },
    duration: {
      type: DataTypes.INTEGER,
      allowNull: false,
      defaultValue: 60,
      validate: { min: 15, max: 240 },
      comment: 'minutes',
    },
    location: {
      type: DataTypes.STRING,
      allowNull: false,
      defaultValue: 'Main studio',
    },

    // Who
    userId: {
      type: DataTypes.INTEGER,
      allowNull: true,
      references: { model: 'users', key: 'id' },
      comment: 'the client; empty while the slot is free',
    },
    trainerId: {
      type: DataTypes.INTEGER,
      allowNull: true,
      references: { model: 'users', key: 'id' },
    },

    // How it stands
    status: {
      type: DataTypes.STRING,
      allowNull: false,
      defaultValue: 'available',
      validate: { isIn: [STATUSES] },
    },
    bookedAt: {
      type: DataTypes.DATE,
      allowNull: true,
    },
    cancellationReason: {
      type: DataTypes.STRING,
      allowNull: true,
    },
    attended: {
      type: DataTypes.BOOLEAN,
      allowNull: true,
    },
    notes: {
      type: DataTypes.TEXT,
      allowNull: true,
      validate: {
        len: {
          args: [0, 4000],
          msg: 'Notes may have up to 4000 characters',
        },
      },
    },
    rating: {
      type: DataTypes.INTEGER,
      allowNull: true,
      validate: {
        min: { args: [1], msg: 'A rating is at least 1' },
        max: { args: [5], msg: 'A rating is at most 5' },
      },
    },
  },
  {
    sequelize,
    modelName: 'Session',
    tableName: 'sessions',
    timestamps: true,
    // Removing a session stamps deletedAt, and every query leaves such rows out.
    paranoid: true,
    indexes: [{ fields: ['sessionDate'] }, { fields: ['userId'] }, { fields: ['trainerId'] }],
  },
);

Session.belongsTo(User, { as: 'client', foreignKey: 'userId' });
Session.belongsTo(User, { as: 'trainer', foreignKey: 'trainerId' });

export default Session;
